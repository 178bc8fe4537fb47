import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { startApp, type App } from '../support/app-process.js'
import { scratchFolder } from '../support/scratch.js'
import { underFault, type Report } from '../support/trouble.js'

describe('while another process holds the write lock of a SQLite file, and stands still', () => {
  const file = scratchFolder()('sessions.sqlite')
  let app: App
  let report: Report

  beforeAll(async () => {
    app = await startApp('__tests__/support/app-server.ts', { STORE: `sqlite:${file}`, TOUCH_INTERVAL: '50' })
    ;[report] = (await underFault([`${app.url}/0`], async ([load]) => {
      const holder = await holdLock()
      holder.kill('SIGSTOP')
      await load!.seesRefused(5, 'login', 'logout', 'revoke', 'count')
      holder.kill('SIGKILL')
    })) as [Report]
  }, 60_000)

  afterAll(() => app.stop())

  /** A process in the middle of a transaction, as a backup or a migration may be. */
  async function holdLock(): Promise<ChildProcess> {
    const script = `
      const database = new (require('libsql'))(process.argv[1])
      database.exec('PRAGMA busy_timeout = 5000')
      database.exec('BEGIN IMMEDIATE')
      console.log('locked')
      setInterval(() => database, 1000)`
    const holder = spawn(process.execPath, ['-e', script, file], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(holder.stdout, 'data')
    return holder
  }

  test('writes are refused with 503 and reads go on', () => {
    expect(report.during.has('read in') || report.during.has('read out')).toBe(true)
    expect(report.during.has('read failed')).toBe(false)
    expect(report.wrong).toEqual([])
    expect(report.late).toEqual([])
  })

  // That all works again once that process is gone is what `underFault` waits for.
  test('nothing acknowledged is lost', () => {
    expect(report.violations).toEqual([])
  })
})
