#!/bin/sh
# Unpacks the container runtimes for tests, only as root on Debian: containerd, dockerd, and runc, without which dockerd
# does not start. They go to the usual folder for test binaries (130 MB; the download is 65 MB). They are not installed as
# packages, because that would start services.
set -eu
place=/usr/local/kubebuilder/bin
[ ! -x "$place/containerd" ] || [ ! -x "$place/dockerd" ] || [ ! -x "$place/runc" ] || exit 0
missing() {
	echo "No containerd or dockerd, so tests against container runtimes are skipped: $1"
	exit 0
}
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || missing "put containerd, dockerd and runc into $place"
echo "Unpacking containerd, dockerd and runc"
export DEBIAN_FRONTEND=noninteractive
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
apt-get update -q >/dev/null
apt-get install -y -q --no-install-recommends libdevmapper1.02.1 libseccomp2 libsystemd0 >/dev/null ||
	missing "the libraries of dockerd are not available"
cd "$work"
apt-get download -q containerd docker.io runc >/dev/null 2>&1 || missing "their packages are not available"
for package in *.deb; do dpkg-deb -x "$package" tree; done
mkdir -p "$place"
for program in tree/usr/bin/containerd tree/usr/sbin/dockerd tree/usr/sbin/runc; do
	install -m 755 "$program" "$place/.unpacked"
	mv "$place/.unpacked" "$place/$(basename "$program")"
done
