#!/bin/sh
# Process 1 inside the user-mode Linux: file systems, modules, addresses; then control.py does as it is told.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for directory in run tmp var/log; do mount -t tmpfs tmp /$directory; done

modprobe -a esp4 esp6 af_key xfrm_user \
  authenc authencesn echainiv seqiv ecb cbc ctr gcm ccm cmac hmac sha512 chacha chacha20poly1305
# From now on nothing is loaded on demand: PF_KEY asks for dozens of algorithms that are not there, each by a process.
echo > /proc/sys/kernel/modprobe

ip link set lo up
ip link set vec0 addrgenmode none
ip link set vec0 up
ip addr add 10.9.0.2/24 dev vec0
ip addr add fd09::2/64 dev vec0 nodad
# pools and networks behind the device
ip route add default via 10.9.0.1
ip route add default via fd09::1
# the addresses behind the gateway
ip addr add 10.99.0.1/32 dev lo
ip addr add fd99::1/128 dev lo nodad

stty raw -echo < /dev/ttyS0
# not `exec`: the shell stays process 1 and collects the daemons that end
python3 /lab/control.py < /dev/null > /dev/console 2>&1
echo o > /proc/sysrq-trigger
