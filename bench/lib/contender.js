import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once as event } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Load, once, requestText } from './load.js'
import { ANSWER_FOR_NOBODY, answerFor, userOf, USERS } from './users.js'

const server = fileURLToPath(new URL('./server.js', import.meta.url))
/** What other software leaves in the same browser. */
const OTHER_COOKIES = '_ga=GA1.1.1874520413.1763846400; theme=dark'

/** A contender's process, its users and their cookies. */
export class Contender {
  cookies = []
  #loads = []

  /** @param setup Handed to the module's `mount` besides the build under test and a tag to name things by. */
  static async start(about, { setup = {}, execArgv = [] } = {}) {
    const contender = new Contender()
    Object.assign(contender, about)
    const tag = `sidbench_${randomBytes(6).toString('hex')}`
    const settings = JSON.stringify({ build: about.build, tag, ...setup })
    contender.child = fork(server, [about.module, settings], {
      env: { ...process.env, NODE_ENV: 'production' },
      execArgv: ['--disable-warning=ExpressSidWarning', ...execArgv],
    })
    contender.ended = event(contender.child, 'exit').then(([code]) => {
      throw new Error(`${about.name} ended with code ${code}`)
    })
    contender.ended.catch(() => undefined)
    contender.port = (await contender.#message()).port
    return contender
  }

  /** Logs every user in, and keeps the cookies as a browser would. */
  async login(users = USERS) {
    for (let n = 0; n < users; n++) {
      const response = await once(this.port, requestText('POST', `/login?n=${n}`))
      this.cookies.push(cookieOf(response, this.name))
    }
  }

  /** What everybody who is logged in asks, and the answer that is theirs. */
  get requests() {
    return this.cookies.map((cookie, n) => ({
      text: requestText('GET', '/me', cookie),
      expected: answerFor(userOf(this.isBlind ? 0 : n)),
    }))
  }

  /** Proves that each browser is answered with its own user, and a stranger with none. */
  async check() {
    for (const request of this.requests) await this.#expect(request)
    if (!this.isBlind) await this.#expect({ text: requestText('GET', '/me'), expected: ANSWER_FOR_NOBODY })
  }

  /** Connections that stay open until the contender closes. */
  async open(connections, requests = this.requests) {
    const load = await Load.open(this.port, requests, connections)
    this.#loads.push(load)
    return load
  }

  /** One window under load: requests a second, CPU microseconds of the server a request, milliseconds each took. */
  async window(load, amount) {
    const before = await this.#cpu()
    const { latencies, seconds, wrong } = await load.run(amount)
    const after = await this.#cpu()
    if (wrong.length > 0) throw new Error(`${this.name}: ${wrong.length} wrong answers, such as\n${wrong[0]}`)
    const cpu = (after.user - before.user + after.system - before.system) / latencies.length
    return { rate: latencies.length / seconds, cpu, latencies }
  }

  async close() {
    for (const load of this.#loads) load.close()
    this.child.send('close')
    await this.ended.catch(() => undefined)
  }

  async #cpu() {
    this.child.send('cpu')
    return (await this.#message()).cpu
  }

  async #message() {
    const [message] = await Promise.race([event(this.child, 'message'), this.ended])
    return message
  }

  async #expect({ text, expected }) {
    const response = await once(this.port, text)
    if (response.startsWith('HTTP/1.1 200') && response.endsWith(expected)) return
    throw new Error(`${this.name} must answer ${expected}, and answered:\n${response}`)
  }
}

function cookieOf(response, name) {
  if (!response.startsWith('HTTP/1.1 2')) throw new Error(`${name} did not log in:\n${response}`)
  const own = [...response.matchAll(/^set-cookie: ([^;\r]*)/gim)].map(([, pair]) => pair)
  // Where nobody reads it, one as long as ours: a header's length is HTTP's cost, not a middleware's.
  if (own.length === 0) own.push(`__Host-sid=${'x'.repeat(102)}`)
  return [OTHER_COOKIES, ...own].join('; ')
}
