/**
 * Runs the tasks of one id one after another. There is no timeout: a write that the store has not finished may
 * still happen, so no other task of that id may overtake it, least of all a logout.
 */
export class Turns {
  readonly #last = new Map<string, Promise<void>>()

  take<T>(id: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(id)
    const result = before === undefined ? task() : before.then(task)
    const nothing = (): void => undefined
    const done = result.then(nothing, nothing).then(() => {
      if (this.#last.get(id) === done) this.#last.delete(id)
    })
    this.#last.set(id, done)
    return result
  }
}
