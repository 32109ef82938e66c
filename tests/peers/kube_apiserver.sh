#!/bin/sh
# Installs the programs for tests on a cluster, only as root on Debian: etcd from Debian's package, and kube-apiserver from
# Debian's source package, because no package contains it. The build runs once and takes four minutes on two cores. From
# the same source come two small programs (kubelet/), in half a minute: one asks the kubelet's own code which credentials
# it uses, the other pulls through a container runtime as a kubelet does.
# All programs go to the usual folder for test binaries. etcd is not installed as a package, because that would start a
# service.
set -eu
place=/usr/local/kubebuilder/bin
peers=$(cd "$(dirname "$0")/kubelet" && pwd)
has() { [ -x "$1/etcd" ] && [ -x "$1/kube-apiserver" ]; }
server=1
if [ -n "${CONSOLE_TEST_KUBECONFIG:-}" ] || has "${KUBEBUILDER_ASSETS:-$place}" || has "$place"; then server=""; fi
if [ -z "$server" ] && [ -x "$place/kubelet-matcher" ] && [ -x "$place/cri-pull" ]; then
	exit 0
fi
missing() {
	[ -z "$server" ] || echo "No kube-apiserver, so tests against a cluster are skipped: $1"
	echo "No kubelet-matcher or cri-pull, so tests against the code of nodes are skipped: $1"
	exit 0
}
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 ||
	missing "put etcd and kube-apiserver into $place, or name their folder in KUBEBUILDER_ASSETS"
echo "Building ${server:+kube-apiserver and }programs of nodes from Debian's source; this happens once."
export DEBIAN_FRONTEND=noninteractive
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# Copies the package sources of this machine as sources of source packages, in separate folders. The lists of the
# machine stay unchanged. An entry without source packages fails alone.
mkdir -p "$work/sources" "$work/lists/partial"
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
	[ ! -r "$file" ] || sed -nE 's/^deb(-src)?([[:space:]])/deb-src\2/p' "$file" >"$work/sources/$(basename "${file%.list}").list"
done
for file in /etc/apt/sources.list.d/*.sources; do
	[ ! -r "$file" ] || sed -E 's/^Types:.*/Types: deb-src/' "$file" >"$work/sources/$(basename "$file")"
done
source_apt() {
	apt-get -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/sources" \
		-o Dir::State::Lists="$work/lists" -o Dir::Cache::srcpkgcache= -o Dir::Cache::pkgcache= \
		-o APT::Sandbox::User=root "$@"
}
apt-get update -q >/dev/null
apt-get install -y -q --no-install-recommends golang-1.19-go golang-github-modern-go-reflect2-dev \
	dpkg-dev rsync jq make >/dev/null || missing "Debian 12's golang-1.19-go is not available"
source_apt update >/dev/null || true
cd "$work"
source_apt source --download-only kubernetes >/dev/null ||
	missing "the source package kubernetes is not available"
dpkg-source --no-check -x kubernetes_*.dsc tree >/dev/null
export PATH="/usr/lib/go-1.19/bin:$PATH" GO111MODULE=off CGO_ENABLED=0 GOCACHE="$work/cache" GOFLAGS=
mkdir -p "$place"

if [ -n "$server" ]; then
	apt-get download -q etcd-server >/dev/null || missing "the package etcd-server is not available"
	dpkg-deb -x etcd-server_*.deb etcd
	# The vendored reflect2 crashes with this Go on the first custom resource.
	rm -rf tree/vendor/github.com/modern-go/reflect2
	cp -r /usr/share/gocode/src/github.com/modern-go/reflect2 tree/vendor/github.com/modern-go/reflect2
	GOPATH= make -C tree WHAT=cmd/kube-apiserver KUBE_GIT_VERSION=v1.20.2 >build.log 2>&1 || {
		tail -n 40 build.log
		exit 1
	}
	install -m 755 etcd/usr/bin/etcd "$place/etcd"
	install -m 755 "$(find tree/_output -type f -name kube-apiserver | head -n 1)" "$place/kube-apiserver.new"
	mv "$place/kube-apiserver.new" "$place/kube-apiserver"
fi

# Packages of Kubernetes can be imported only below GOPATH.
mkdir -p gopath/src/k8s.io tree/cmd/kubelet-matcher tree/cmd/cri-pull
ln -s "$work/tree" gopath/src/k8s.io/kubernetes
cp "$peers/matcher.go" tree/cmd/kubelet-matcher/main.go
cp "$peers/pull.go" tree/cmd/cri-pull/main.go
for program in kubelet-matcher cri-pull; do
	(cd gopath/src/k8s.io/kubernetes && GOPATH="$work/gopath" go build -o "$work/$program" "./cmd/$program")
	install -m 755 "$program" "$place/$program"
done
