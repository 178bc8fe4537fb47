import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { openStore } from '../../../src/cli/stores/open.js'
import { startApp } from '../../support/app-process.js'
import { bundled } from '../../support/bundle.js'
import { tally, violations } from '../../support/history.js'
import { Workload } from '../../support/workload.js'
import { root } from './io.js'
import { OldSessions } from './old-sessions.js'

export interface Move {
  /** The old and the new store, as `openStore` and as the command name them. */
  readonly from: { readonly name: string; readonly address: string }
  readonly to: { readonly name: string; readonly address: string }
  readonly sessions: number
  /** A copy is killed as soon as the new store holds so many sessions, once for each of these. */
  readonly kills: readonly number[]
}

/** The command as a process, by its source. */
function startCopy({ from, to }: Move, words: readonly string[] = []) {
  const child = spawn(process.execPath, [bundled('src/cli/bin.ts'), 'copy', '--json', ...words], {
    cwd: root,
    env: { PATH: process.env.PATH, EXPRESS_SID_FROM: from.address, EXPRESS_SID_TO: to.address },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const printed = { out: '', err: '' }
  child.stdout.on('data', (data: Buffer) => (printed.out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (printed.err += data.toString()))
  return { child, exited: once(child, 'close'), printed }
}

/** Moves many sessions beside two app processes under load, kills the copy, runs it again, and finishes it. */
export async function moveBesideApp(move: Move) {
  const old = new OldSessions()
  const [from, to] = await Promise.all(
    [move.from, move.to].map(({ address }) => openStore(address, root, { create: true })),
  )
  await old.begin(move.from.address.replace(/^sqlite:/, ''), move.sessions)
  const env = {
    STORE: `moving>${move.from.name}>${move.to.name}`,
    TOUCH_INTERVAL: '20',
    STORE_TIMEOUT: '8000',
  }
  const apps = await Promise.all([1, 2].map(() => startApp('__tests__/support/app-server.ts', env)))
  const urls = apps.map(({ url }) => `${url}/0`)
  const load = new Workload(urls, { thinks: 20 })
  try {
    const running = Promise.all([load.run(4), old.use(urls, 4)])
    let killed = 0
    for (const count of move.kills) {
      const { child, exited } = startCopy(move)
      while (child.exitCode === null && (await to!.store.count(0)) < count)
        await pause(move.sessions > 1_000 ? 500 : 5)
      if (child.exitCode === null) killed += 1
      child.kill('SIGKILL')
      await exited
    }
    await load.haveEach(move.sessions > 1_000 ? 50 : 4)
    // While the browsers go on.
    const done = await finished(startCopy(move, ['--finish', '--yes']))
    load.stop()
    old.stop()
    await running
    await load.readAll()
    const there = await old.readAll(to!.store)
    return { old, load, killed, done, there, left: await from!.store.count(0) }
  } finally {
    load.stop()
    old.stop()
    await Promise.all([...apps.map((app) => app.stop()), from!.close(), to!.close()])
  }
}

async function finished({ exited, printed }: ReturnType<typeof startCopy>): Promise<Record<string, unknown>> {
  const [code] = (await exited) as [number]
  if (code !== 0) throw new Error(`the copy ended with ${code}:\n${printed.out}\n${printed.err}`)
  return JSON.parse(printed.out) as Record<string, unknown>
}

/** What the checker finds in all histories. */
export function found({ old, load }: Awaited<ReturnType<typeof moveBesideApp>>) {
  const all = [...violations(old.history), ...violations(load.history)]
  return { tally: tally(all), first: all.slice(0, 5), wrong: load.wrong }
}
