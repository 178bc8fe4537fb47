import { join } from 'node:path'
import type { Io } from '../../../src/cli/io.js'
import { run } from '../../../src/cli/run.js'

export const root = join(__dirname, '../../..')

export interface CliOptions {
  readonly env?: Record<string, string>
  readonly cwd?: string
  /** The lines of the standard input. */
  readonly input?: readonly string[]
  /** What a person says to each question. Default: nobody is there. */
  readonly says?: boolean
  readonly runs?: Io['run']
}

/** Runs a command in this process. */
export async function cli(words: readonly string[], options: CliOptions = {}) {
  const { env = {}, cwd = root, input = [], says, runs = async () => 0 } = options
  const [out, err, questions]: string[][] = [[], [], []]
  const lines = input.values()
  const exitCode = await run(words, {
    env,
    cwd,
    isInteractive: says !== undefined,
    out: (line) => out!.push(line),
    err: (line) => err!.push(line),
    readLine: async () => lines.next().value,
    async confirm(question) {
      questions!.push(question)
      return says === true
    },
    progress: () => ({ advance: () => undefined, stop: () => undefined }),
    run: runs,
  })
  const stdout = out!.join('\n')
  return {
    exitCode,
    stdout,
    stderr: err!.join('\n'),
    questions: questions!,
    printed: `${stdout}\n${err!.join('\n')}`,
  }
}

/** The same with `--json`, and what it printed. */
export async function cliJson<T = Record<string, unknown>>(
  words: readonly string[],
  options: CliOptions = {},
) {
  const { exitCode, stdout } = await cli([...words, '--json'], options)
  return { exitCode, json: JSON.parse(stdout) as T }
}
