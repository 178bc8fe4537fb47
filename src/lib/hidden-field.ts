/** A field of any object, which nobody else can see. */
export interface HiddenField<T> {
  of(object: object): T | undefined
  set(object: object, value: T): void
}

/**
 * Makes a field for objects of any kind. It says what a WeakMap would, and lies in the object itself: a WeakMap that
 * takes in every request's objects costs the garbage collector more than the requests themselves allocate. Not for
 * frozen objects.
 *
 * @example
 * const origin = hiddenField<Origin>()
 * origin.set(session, { sid })
 */
export function hiddenField<T>(): HiddenField<T> {
  return class Field extends Itself {
    // A private field belongs to what the constructor above has returned, whatever that is.
    #value: T | undefined

    static of(object: object): T | undefined {
      return #value in object ? object.#value : undefined
    }

    static set(object: object, value: T): void {
      const given = #value in object ? object : new Field(object)
      given.#value = value
    }
  }
}

// oxlint-disable-next-line typescript/no-extraneous-class -- what it returns is what a private field is added to
class Itself {
  constructor(object: object) {
    return object
  }
}
