import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { confirm, isCancel, progress } from '@clack/prompts'
import type { Io, ProgressBar } from './io.js'

/** The real outside of a command. */
export function terminal(): Io {
  const isInteractive = process.stdin.isTTY && process.stderr.isTTY
  let lines: AsyncIterator<string> | undefined
  return {
    env: process.env,
    cwd: process.cwd(),
    isInteractive,
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    async readLine() {
      // Once for all lines: an interface reads ahead.
      lines ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]()
      const { done, value } = await lines.next()
      return done === true ? undefined : value
    },
    async confirm(question) {
      const said = await confirm({ message: question, initialValue: false, output: process.stderr })
      return !isCancel(said) && said
    },
    progress: (total) => (process.stderr.isTTY ? bar(total) : plainProgress()),
    async run(program, words, cwd) {
      const child = spawn(program, words, { cwd, stdio: ['ignore', process.stderr, process.stderr] })
      const [code] = (await once(child, 'exit')) as [number | null]
      return code ?? 1
    },
  }
}

function bar(total: number): ProgressBar {
  const drawn = progress({ max: Math.max(1, total), output: process.stderr })
  let last = 0
  drawn.start('Reading')
  return {
    advance(done, message) {
      drawn.advance(Math.max(0, done - last), message)
      last = Math.max(last, done)
    },
    stop: (message) => drawn.stop(message),
  }
}

/** For logs: a line now and then. */
function plainProgress(): ProgressBar {
  let said = 0
  return {
    advance(_, message) {
      if (performance.now() - said < 5_000) return
      said = performance.now()
      process.stderr.write(`${message}\n`)
    },
    stop: () => undefined,
  }
}
