/** What a heap can hold: it keeps `place` up to date, so that an item is found without a search. */
export interface HeapItem {
  place: number
}

/**
 * Items ordered by a time, the earliest first. A binary heap, so that finding what is due costs nothing,
 * and every change a few steps, however many items there are and however far apart their times lie.
 */
export class DeadlineHeap<T extends HeapItem> {
  // Two arrays and no pairs: eight bytes for each time, and a comparison touches no object.
  readonly #times: number[] = []
  readonly #items: T[] = []

  /** The item with the earliest time. */
  get first(): T | undefined {
    return this.#items[0]
  }

  /** The time under which an item stands here. */
  timeOf(item: T): number {
    return this.#at(item.place)
  }

  add(item: T, time: number): void {
    this.#items.push(item)
    this.#times.push(time)
    this.#rise(this.#items.length - 1, item, time)
  }

  remove(item: T): void {
    const last = this.#items.pop()
    const time = this.#times.pop()
    if (last === undefined || time === undefined || last === item) return
    this.#settle(item.place, last, time)
  }

  /** Gives an item another time. */
  move(item: T, time: number): void {
    this.#settle(item.place, item, time)
  }

  /** Finds the right place for an item, from a place that is its own or free. */
  #settle(place: number, item: T, time: number): void {
    if (place > 0 && time < this.#at(parentOf(place))) this.#rise(place, item, time)
    else this.#sink(place, item, time)
  }

  #rise(place: number, item: T, time: number): void {
    while (place > 0 && time < this.#at(parentOf(place))) {
      this.#shift(parentOf(place), place)
      place = parentOf(place)
    }
    this.#put(place, item, time)
  }

  #sink(place: number, item: T, time: number): void {
    for (;;) {
      const left = 2 * place + 1
      const child = this.#at(left + 1) < this.#at(left) ? left + 1 : left
      if (this.#at(child) >= time) break
      this.#shift(child, place)
      place = child
    }
    this.#put(place, item, time)
  }

  /** The time at a place; beyond the last item it is later than any. */
  #at(place: number): number {
    return place < this.#times.length ? (this.#times[place] ?? Infinity) : Infinity
  }

  #shift(from: number, to: number): void {
    const item = this.#items[from]
    if (item !== undefined) this.#put(to, item, this.#at(from))
  }

  #put(place: number, item: T, time: number): void {
    this.#items[place] = item
    this.#times[place] = time
    item.place = place
  }
}

const parentOf = (place: number): number => (place - 1) >> 1
