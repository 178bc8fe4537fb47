import { setImmediate } from './timers.js'

/**
 * A promise whose rejection ends no process: where nobody listens to it, the report is called in place of Node's
 * `unhandledRejection`. Everything else is as usual. `await`, `then`, `catch` and `Promise.all` all listen.
 *
 * @example return new Watched(write(), (error) => log(error))
 */
export class Watched<T> extends Promise<T> {
  /** What `then` makes is an ordinary promise. Besides, `await` would not call the `then` of a species of its own. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  readonly #report: (error: unknown) => void
  #isHeard = false
  #failure: unknown = undefined

  /** @param report called a turn after the rejection: until then somebody may begin to listen. */
  constructor(work: Promise<T>, report: (error: unknown) => void) {
    super((resolve) => resolve(work))
    this.#report = report
    super.then(undefined, (error: unknown) => {
      this.#failure = error
      setImmediate(() => this.#isHeard || report(error))
    })
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a promise is one
  override then<U = T, V = never>(
    onFulfilled?: ((value: T) => U | PromiseLike<U>) | null,
    onRejected?: ((error: unknown) => V | PromiseLike<V>) | null,
  ): Promise<U | V> {
    this.#isHeard = true
    const next = super.then(onFulfilled, onRejected)
    return typeof onRejected === 'function' ? next : this.#passOn(next)
  }

  override finally(onFinally?: (() => void) | null): Promise<T> {
    return this.#passOn(super.finally(onFinally))
  }

  /** Who passes a rejection on may have nobody who listens either: `write().then(() => res.end())`. */
  #passOn<U>(next: Promise<U>): Promise<U> {
    return new Watched(next, (error) => {
      // An error of the application's own callback is the application's, as with any promise.
      if (error === this.#failure) this.#report(error)
      // oxlint-disable-next-line promise/no-promise-in-callback -- to be unhandled is what it is for
      else void Promise.reject(error)
    })
  }
}
