"""One socket on the device's side, for a program outside of its network namespace.

usage: relay.py udp|esp LOCAL_ADDRESS LOCAL_PORT REMOTE_ADDRESS REMOTE_PORT   (esp: ports are ignored)
Standard input and output carry packets, each behind its length in two octets. The first one out is the local port.
"""

import os
import select
import socket
import sys

protocol, local, local_port, remote, remote_port = sys.argv[1:]
family = socket.AF_INET6 if ":" in local else socket.AF_INET
if protocol == "udp":
    peer = socket.socket(family, socket.SOCK_DGRAM)
else:
    peer = socket.socket(family, socket.SOCK_RAW, 50)
    local_port = remote_port = 0
peer.bind((local, int(local_port)))
peer.connect((remote, int(remote_port)))
headed = protocol == "esp" and family == socket.AF_INET  # raw IPv4 sockets keep the IP header, IPv6 ones do not


def emit(packet):
    octets = len(packet).to_bytes(2, "big") + packet
    while octets:
        octets = octets[os.write(1, octets):]


emit(str(peer.getsockname()[1]).encode())
pending = b""
while True:
    readable, _, _ = select.select([0, peer], [], [])
    try:
        if peer in readable:
            packet = peer.recv(65535)
            emit(packet[(packet[0] & 15) * 4:] if headed else packet)
        if 0 in readable:
            octets = os.read(0, 65536)
            if not octets:
                break
            pending += octets
            while len(pending) >= 2 and len(pending) >= (end := 2 + int.from_bytes(pending[:2], "big")):
                packet, pending = pending[2:end], pending[end:]
                peer.send(packet)
    except ConnectionError:
        pass  # a port that nobody listens on: for the device the same as a lost packet
