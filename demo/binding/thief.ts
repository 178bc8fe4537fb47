import { request } from 'node:https'
import type { Story } from './story.js'

/** Somebody with a copy of the cookies and the browser's User-Agent, but on another machine. Asks once a second. */
export class Thief {
  #timer: NodeJS.Timeout | undefined
  #copied: { cookie: string; userAgent: string; url: string; at: number } | undefined
  #isIn: boolean | undefined

  constructor(
    private readonly certificate: string,
    private readonly story: Story,
  ) {}

  copy(cookie: string, userAgent: string, url: string): void {
    this.leave()
    this.#copied = { cookie, userAgent, url, at: Date.now() }
    this.story.tell('thief', 'copied', 'cookies copied')
    this.#timer = setInterval(() => this.#ask(), 1_000)
    this.#ask()
  }

  leave(): void {
    clearInterval(this.#timer)
    this.#copied = undefined
    this.#isIn = undefined
  }

  /** What the page shows, with a command to try it by hand. */
  shown() {
    if (this.#copied === undefined) return undefined
    const { cookie, userAgent, url, at } = this.#copied
    const curl = `curl --insecure --user-agent '${quoted(userAgent)}' --header 'Cookie: ${quoted(cookie)}' ${url}`
    return { at, isIn: this.#isIn, curl }
  }

  #ask(): void {
    const copied = this.#copied!
    const headers = { cookie: copied.cookie, 'user-agent': copied.userAgent }
    const asked = request(copied.url, { headers, ca: this.certificate }, (res) => {
      let text = ''
      res.on('data', (data: Buffer) => (text += data.toString()))
      res.on('end', () => this.#hear(copied, (JSON.parse(text) as { in: boolean }).in))
    })
    asked.on('error', () => undefined)
    asked.end()
  }

  #hear(copied: object, isIn: boolean): void {
    if (copied !== this.#copied) return
    if (this.#isIn === true && !isIn) this.story.tell('thief', 'dead', 'the copy is dead')
    this.#isIn = isIn
    this.story.see('thief', isIn)
  }
}

/** Within single quotes of a shell. */
function quoted(text: string): string {
  return text.replaceAll("'", `'\\''`)
}
