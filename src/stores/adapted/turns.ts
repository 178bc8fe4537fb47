/**
 * Lets the tasks of one id run one after another. There is no limit of time: a write that a store has not
 * answered may still happen, so nothing of that id may overtake it, least of all a logout.
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
