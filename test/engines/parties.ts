/** Who meets whom, as both sides know it. */

export const DEVICE = "device.example";
export const GATEWAY = "gw.example";
export const PSK = "correct horse battery staple";
/** Inside of the tunnel. */
export const DEVICE_ADDRESS = [10, 1, 0, 7];
export const GATEWAY_NETWORK = [10, 99, 0, 0];
export const GATEWAY_PREFIX = 16;
