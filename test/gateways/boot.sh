#!/bin/sh
# Boots one gateway: the device's end of the network, and a user-mode Linux behind a TAP device.
# Runs as process 1 of namespaces of its own (network, mounts, process ids), so that nothing needs to be cleaned up:
# with this process the kernel takes away everything else, mounts and devices included. It ends when the user-mode
# Linux ends, and when standard input closes, which happens however the test program ends.
#
# usage: unshare --net --mount --pid --fork --kill-child boot.sh ROOT
# descriptors: 0 lifeline, 1 the gateway's console, 3 its serial line (a socket, see control.py)
set -e
root=$1
here=$(dirname "$0")

read -r pid rest < /proc/self/stat # as the machine numbers it: this /proc is still the machine's
echo "boot: process $pid"

# The root stays as it was built: all writable places are in memory and belong to this start alone.
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
for directory in dev/shm tmp lab; do mount -t tmpfs tmpfs "$root/$directory"; done
cp "$here/init.sh" "$here/control.py" "$root/lab"

cd "$root"
chroot . sh -ec '
  ip link set lo up
  ip tuntap add tap0 mode tap
  ip link set tap0 up addrgenmode none
  ip addr add 10.9.0.1/24 dev tap0
  ip addr add fd09::1/64 dev tap0 nodad
' < /dev/null

exec 4<&0
# On one processor: the kernel and its processes wake each other all the time, which takes three times as long across
# processors. Any allowed one will do, so it is the one that this line runs on.
taskset --cpu-list "$(awk '{ print $39 }' /proc/self/stat)" \
  chroot . linux.uml seccomp=auto mem=256M root=/dev/root rootfstype=hostfs rootflags=/ ro quiet init=/lab/init.sh uml_dir=/tmp/ \
  con=null con0=null,fd:1 ssl=null ssl0=fd:3 vec0:transport=tap,ifname=tap0,depth=128,gro=0 < /dev/null 4<&- &
gateway=$!
exec 3<&-
{ cat > /dev/null; kill -9 $gateway; } <&4 &
wait $gateway
