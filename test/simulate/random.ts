/** Numbers that look random and are the same for the same seed: sfc32, fast enough for a hundred thousand devices. */
export interface Random {
  /** From 0 to 1, without 1. */
  fraction(): number;
  octets(length: number): Uint8Array;
}

export function seeded(seed: number): Random {
  let [a, b, c, count] = [0x9e3779b9, 0x243f6a88, seed | 0, 1];
  const next = (): number => {
    const sum = (((a + b) | 0) + count++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 16; i++) next();
  return {
    fraction: () => next() / 0x1_0000_0000,
    octets(length) {
      const octets = new Uint8Array(length);
      for (let i = 0; i < length; i++) octets[i] = next() >>> 11;
      return octets;
    },
  };
}
