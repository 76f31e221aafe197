#!/bin/bash
# Builds the root file system of the gateways and prints its path: Debian trixie with strongSwan 6, libreswan 5,
# OpenIKED 7, a user-mode Linux kernel, and the few tools that the lab runs beside them (python3, tcpdump, ip).
#
# The result lies outside the checkout, in ${IKELET_CACHE:-/var/cache/ikelet}/gateways-HASH, where HASH is that of
# this script: a changed script builds anew, an unchanged one answers at once. Needs root on Debian 12 or 13.
set -euo pipefail

cache=${IKELET_CACHE:-/var/cache/ikelet}
target=$cache/gateways-$(sha256sum < "$0" | cut -c1-12)
[ -d "$target" ] && { echo "$target"; exit; }

# Everything mounted during the build stays in a mount namespace of its own, so that nothing is left after a failure.
[ "${IKELET_PRIVATE_MOUNTS:-}" ] || IKELET_PRIVATE_MOUNTS=1 exec unshare --mount "$0" "$@"

mkdir -p "$cache"
exec 3>&1 1>&2 9>"$cache/gateways.lock"
flock 9 # two test runs at once: the second waits and finds the work done
[ -d "$target" ] && { echo "$target" >&3; exit; }

export DEBIAN_FRONTEND=noninteractive LC_ALL=C
if ! command -v debootstrap; then
  apt-get update -q
  apt-get install -y -q --no-install-recommends debootstrap debian-archive-keyring
fi
# The mirror and the way to it are those of this machine's apt.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | awk '!/security/ && !n++')
root=$(mktemp -d "$target.XXXXXX")
trap 'rm -rf --one-file-system "$root"' EXIT
chmod 755 "$root"

# libreswan's package conflicts with strongSwan's plugins, so it is unpacked by hand below: its libraries stand here.
libreswan_needs=libnss3-tools,libunbound8,libldns3t64,libevent-2.1-7t64,libevent-pthreads-2.1-7t64,libcurl3t64-gnutls,libcap-ng0,libaudit1,libpam0g,libseccomp2
debootstrap --variant=minbase --include="ca-certificates,iproute2,iputils-ping,kmod,procps,python3-minimal,tcpdump,charon-systemd,strongswan-swanctl,libcharon-extra-plugins,libstrongswan-extra-plugins,libstrongswan-standard-plugins,openiked,$libreswan_needs" \
  trixie "$root" "$mirror"

printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d" # no daemon starts at its installation
chmod +x "$root/usr/sbin/policy-rc.d"
cp /etc/resolv.conf "$root/etc/resolv.conf"
apt-config dump | grep -E '^Acquire::(https?|Retries|Check)' > "$root/etc/apt/apt.conf.d/00host" || true

# The kernel comes from sid: those of bookworm (6.1) and trixie (6.12) panic on processors with AMX. Nothing else does.
echo "deb $mirror sid main" > "$root/etc/apt/sources.list.d/sid.list"
printf 'Package: *\nPin: release n=sid\nPin-Priority: 1\n' > "$root/etc/apt/preferences.d/sid"
chroot "$root" apt-get update -q
chroot "$root" apt-get install -y -q --no-install-recommends -t sid user-mode-linux
chroot "$root" sh -ec 'cd /tmp; apt-get download libreswan; dpkg -x libreswan_*.deb /; rm libreswan_*.deb'
version=$(ls "$root/usr/lib/uml/modules")
mkdir -p "$root/lib/modules"
ln -sfn "/usr/lib/uml/modules/$version" "$root/lib/modules/$version"
chroot "$root" depmod "$version"

mkdir -p "$root/dev/net" "$root/dev/shm" "$root/lab" # /lab is where each start mounts its own files
[ -e "$root/dev/net/tun" ] || mknod "$root/dev/net/tun" c 10 200
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale,info}/*

mv -T "$root" "$target"
trap - EXIT
echo "$target" >&3
