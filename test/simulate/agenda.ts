/** What happens when, in virtual time: a binary heap. What is due at the same time happens in the order of its entry. */

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly action: () => void;
}

export interface Agenda {
  /** Milliseconds. */
  readonly now: number;
  /** @param delay milliseconds from now */
  after(delay: number, action: () => void): void;
  /** The next thing happens; false if there is none before `end`. */
  step(end: number): boolean;
}

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

export function makeAgenda(): Agenda {
  const heap: Entry[] = [];
  let now = 0;
  let order = 0;

  function push(entry: Entry): void {
    let i = heap.length;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (before(heap[parent]!, entry)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = entry;
  }

  function pop(): Entry {
    const first = heap[0]!;
    const last = heap.pop()!;
    const size = heap.length;
    for (let i = 0; size; ) {
      let child = 2 * i + 1;
      if (child + 1 < size && before(heap[child + 1]!, heap[child]!)) child++;
      if (child >= size || before(last, heap[child]!)) {
        heap[i] = last;
        break;
      }
      heap[i] = heap[child]!;
      i = child;
    }
    return first;
  }

  return {
    get now() {
      return now;
    },
    after(delay, action) {
      push({ at: now + delay, order: order++, action });
    },
    step(end) {
      if (!heap.length || heap[0]!.at > end) return false;
      const { at, action } = pop();
      now = at;
      action();
      return true;
    },
  };
}
