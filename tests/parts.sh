#!/bin/sh
# Installs missing system packages for the tests, only as root on Debian and its derivatives.
set -eu
wanted=""
need() { command -v "$1" >/dev/null 2>&1 || wanted="$wanted $2"; }
command -v chromium >/dev/null 2>&1 || need chromium-headless-shell chromium-headless-shell
need docker-registry docker-registry
need skopeo skopeo
need kubectl kubernetes-client
need promtool prometheus
need prometheus-alertmanager prometheus-alertmanager
[ -d /usr/share/fonts/opentype/noto ] && ls /usr/share/fonts/opentype/noto/NotoSansCJK* >/dev/null 2>&1 || wanted="$wanted fonts-noto-cjk"
if [ -z "$wanted" ]; then
	:
elif [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
	echo "Missing, so some tests are skipped:$wanted"
else
	echo "Installing$wanted"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q >/dev/null
	# shellcheck disable=SC2086  # a list of package names
	apt-get install -y -q --no-install-recommends $wanted >/dev/null
fi
if ! command -v chromium-headless-shell >/dev/null 2>&1 && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "Installing chromium-headless-shell: the tests are quicker with it than with chromium"
	{ apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium-headless-shell; } >/dev/null 2>&1 ||
		echo "It could not be installed; the tests use chromium"
fi
sh "$(dirname "$0")/peers/runtimes.sh"
sh "$(dirname "$0")/peers/kube_apiserver.sh"
