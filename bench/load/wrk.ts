import { execFile, execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { temporaryFolder } from '../lib/temporary-folder.js'
import type { Amount, Driver, Load, Outcome, Request } from './driver.js'

const exec = promisify(execFile)

/** Sends the texts in turn, and prints what it saw as JSON. */
const script = (texts: readonly string[]) => `
local texts = { ${texts.map((text) => JSON.stringify(text)).join(',\n')} }
local turn = 0
request = function()
  turn = turn % #texts + 1
  return texts[turn]
end
done = function(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('\\n{"count":%d,"microseconds":%d,"p50":%d,"p99":%d,"failed":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), failed))
end
`

/** wrk, one process for each window. It checks the status of each response, not the body. */
class WrkLoad implements Load {
  readonly #folder = temporaryFolder()
  readonly #script = this.#folder.file('requests.lua')

  constructor(
    private readonly port: number,
    requests: readonly Request[],
    private readonly connections: number,
  ) {
    const texts = requests.map(({ text }) => (typeof text === 'string' ? text : text()))
    writeFileSync(this.#script, script(texts))
  }

  async run(amount: Amount): Promise<Outcome> {
    const seconds = 'ms' in amount ? Math.max(1, Math.round(amount.ms / 1000)) : 1
    const { stdout } = await exec('wrk', [
      '--threads=1',
      `--connections=${this.connections}`,
      `--duration=${seconds}s`,
      `--script=${this.#script}`,
      `http://127.0.0.1:${this.port}/me`,
    ])
    const seen = JSON.parse(stdout.slice(stdout.lastIndexOf('{')))
    return {
      count: seen.count,
      seconds: seen.microseconds / 1e6,
      p50: seen.p50 / 1000,
      p99: seen.p99 / 1000,
      wrong: seen.failed > 0 ? [stdout] : [],
    }
  }

  close(): void {
    this.#folder.remove()
  }
}

export const wrk: Driver = {
  name: 'wrk',
  open: async (port, requests, connections) => new WrkLoad(port, requests, connections),
}

/** Whether wrk is on this machine. */
export function hasWrk(): boolean {
  try {
    execFileSync('which', ['wrk'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
