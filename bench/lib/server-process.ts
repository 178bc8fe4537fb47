import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Contender } from '../contenders.js'
import type { Node } from './nodes.js'
import type { Message, Setup } from './server.js'

const script = fileURLToPath(new URL('server.js', import.meta.url))

/** The process of a contender's server, and the messages to and from it. */
export class ServerProcess {
  readonly #child: ChildProcess
  readonly #ended: Promise<never>

  constructor({ name, module }: Contender, node: Node, setup: Setup) {
    this.#child = fork(script, [module, JSON.stringify(setup)], {
      env: { ...process.env, NODE_ENV: 'production' },
      execPath: node.path,
      execArgv: ['--disable-warning=ExpressSidWarning', '--disable-warning=ExperimentalWarning'],
    })
    this.#ended = once(this.#child, 'exit').then(([code]) => {
      throw new Error(`${name} ended with code ${code}`)
    })
    this.#ended.catch(() => undefined)
  }

  ask(question: string): Promise<Message> {
    this.#child.send(question)
    return this.reply()
  }

  /** The next message; the first one has the port. */
  async reply(): Promise<Message> {
    const [message] = await Promise.race([once(this.#child, 'message'), this.#ended])
    return message
  }

  async close(): Promise<void> {
    this.#child.send('close')
    await this.#ended.catch(() => undefined)
  }
}
