import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { chromium, type Browser } from 'playwright-core'
import { chromiumArgs, chromiumPath } from '../support/chromium.js'
import { needs } from '../support/needs.js'
import { startRotatingSite, type RotatingSite } from '../support/rotation-site.js'

// Chromium keeps new cookies in memory, and writes them to disk on a timer of 30 s. A crash takes the youngest ones.

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const COMMIT_MS = 35_000

needs('chromium')('a browser that is killed five seconds after it has presented its new cookie', () => {
  const profile = mkdtempSync(join(tmpdir(), 'sid-profile-'))
  let site: RotatingSite
  let running: { child: ChildProcess; browser: Browser } | undefined

  beforeAll(async () => {
    site = await startRotatingSite()
  }, 60_000)
  afterAll(async () => {
    await killed()
    await site.stop()
    rmSync(profile, { recursive: true, force: true })
  })

  /** Starts Chromium with the profile, in a process group of its own. */
  async function started() {
    const args = [
      ...chromiumArgs,
      '--headless=new',
      `--user-data-dir=${profile}`,
      '--remote-debugging-port=0',
    ]
    const child = spawn(chromiumPath(), [...args, '--password-store=basic', 'about:blank'], {
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const endpoint = await new Promise<string>((resolve) => {
      let printed = ''
      child.stderr.on('data', (data: Buffer) => {
        printed += data.toString()
        const found = /DevTools listening on (ws:\S+)/.exec(printed)
        if (found) resolve(found[1]!)
      })
    })
    const browser = await chromium.connectOverCDP(endpoint)
    running = { child, browser }
    const page = await browser.contexts()[0]!.newPage()
    const visit = async (path: string) => {
      await page.goto(`${site.url}/${path}`)
      return page.textContent('p')
    }
    const jar = async () =>
      (await page.context().cookies(site.url)).find(({ name }) => name === 'sid')?.value.slice(-8)
    return { visit, jar }
  }

  /** As a crash or a power cut does: with no time to write anything. */
  async function killed(): Promise<void> {
    if (running === undefined) return
    const { child, browser } = running
    running = undefined
    const exited = once(child, 'exit')
    process.kill(-child.pid!, 'SIGKILL')
    await exited
    await browser.close().catch(() => undefined)
  }

  test('has the cookie before when it comes back ten minutes later, and is still in', async () => {
    const first = await started()
    expect(await first.visit('login-page')).toBe('Ann')
    const before = await first.jar()
    await pause(COMMIT_MS)
    await site.pass(HOUR)
    expect(await first.visit('page')).toBe('Ann')
    const after = await first.jar()
    expect(after).not.toBe(before)
    // Presented. The grace of five minutes is not over, so the cookie before is the current one still.
    expect(await first.visit('page')).toBe('Ann')
    await pause(5_000)
    await killed()

    await site.pass(10 * MINUTE)
    const second = await started()
    // Otherwise this has not shown what it is to show.
    expect(await second.jar()).toBe(before)
    expect(await second.visit('page')).toBe('Ann')
    // And rotation goes on.
    await site.pass(HOUR)
    expect(await second.visit('page')).toBe('Ann')
    expect(await second.jar()).not.toBe(before)
    await site.pass(5 * MINUTE)
    expect(await second.visit('page')).toBe('Ann')
    expect((await site.events()).reuse).toBe(0)
  }, 180_000)
})
