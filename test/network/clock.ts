/** Time that passes as fast as there is something to do. */

export interface Clock {
  /** Milliseconds since the beginning. */
  readonly now: () => number;
  readonly after: (milliseconds: number, act: () => void) => void;
  /** Lets time pass until nothing is left to do; how many things that were, or `most`. */
  readonly run: (most: number) => number;
}

interface Appointment {
  readonly at: number;
  readonly act: () => void;
}

export function makeClock(): Clock {
  let now = 0;
  const appointments: Appointment[] = [];
  return {
    now: () => now,
    after: (milliseconds, act) => {
      const at = now + milliseconds;
      let place = appointments.length;
      // The latest stands first.
      while (place > 0 && appointments[place - 1]!.at <= at) place--;
      appointments.splice(place, 0, { at, act });
    },
    run: (most) => {
      let count = 0;
      for (; appointments.length && count < most; count++) {
        const { at, act } = appointments.pop()!;
        now = at;
        act();
      }
      return count;
    },
  };
}
