/** The work that a response waits for. */
export class Pending {
  /** Settles when all of it is done; absent where there is none. Never rejects. */
  settled: Promise<void> | undefined
  #failure: unknown

  /**
   * Adds work, and returns it.
   *
   * @param failed hears of a failure. Without it the response must not be sent: it would say that the work was done.
   */
  add(
    work: Promise<void>,
    failed: (error: unknown) => void = (error) => (this.#failure = error),
  ): Promise<void> {
    const done = work.then(() => undefined, failed)
    const before = this.settled
    const settled = (before === undefined ? done : before.then(() => done)).then(() => {
      if (this.settled === settled) this.settled = undefined
    })
    this.settled = settled
    return work
  }

  /** Throws where work has failed that the response relies on. */
  assertDone(): void {
    if (this.#failure !== undefined) throw this.#failure
  }
}
