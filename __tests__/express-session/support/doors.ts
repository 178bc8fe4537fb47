import { setTimeout as pause } from 'node:timers/promises'

/** Doors at which requests wait until a test opens them: schedules without sleeps. */
export class Doors {
  readonly #open = new Set(['open'])
  readonly #waiting = new Map<string, (() => void)[]>()

  async wait(name: string): Promise<void> {
    if (this.#open.has(name)) return
    await new Promise<void>((resolve) => {
      this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), resolve])
    })
  }

  /** Resolves when so many wait there. */
  async arrived(name: string, count = 1): Promise<void> {
    while ((this.#waiting.get(name) ?? []).length < count) await pause(1)
  }

  /** Lets those go on who wait. The door stays closed for those who come later. */
  open(name: string): void {
    const waiting = this.#waiting.get(name) ?? []
    this.#waiting.delete(name)
    for (const go of waiting) go()
  }
}
