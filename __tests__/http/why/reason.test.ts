import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { scenarios, type decisions } from './scenarios.js'

const root = join(__dirname, '../../..')
const page = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8')

/** Runs all scenarios in a process of its own: Node reads NODE_DEBUG when it starts. */
async function runAll(debug: string) {
  const file = join(__dirname, 'process.ts')
  const { NODE_ENV: _, ...env } = process.env
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', 'tsx', file], {
    cwd: root,
    env: { ...env, NODE_DEBUG: debug },
  })
  const parts = stderr.split(/^== (\w+)\n/m).slice(1)
  const lines = Object.fromEntries(
    parts.flatMap((name, at) => (at % 2 === 0 ? [[name, parts[at + 1]!.trim().split('\n')]] : [])),
  ) as Record<string, string[]>
  return { reasons: JSON.parse(stdout) as Record<string, string>, lines, printed: stderr }
}

let run: Awaited<ReturnType<typeof runAll>>
beforeAll(async () => {
  run = await runAll('express-sid')
})

describe.each(Object.keys(scenarios))('%s', (name) => {
  test('is told by sessionOf(req).reason', () => {
    expect(run.reasons[name]).toBe(name)
  })

  test('is told by a line of NODE_DEBUG=express-sid', () => {
    const said = new RegExp(
      `^EXPRESS-SID \\d+: (?:GET|POST) /[^:]*: ${name}(?:, session [0-9a-f-]{36})? \\(reads the cookie `,
    )
    // What ends within a request is a line of its own: it began with a user.
    if (name === 'ended') expect(run.lines[name]!.join('\n')).toMatch(/logout: \{"sessionId":/)
    else expect(run.lines[name]).toContainEqual(expect.stringMatching(said))
  })

  test('has a part of the page, which says what it means and what to do', () => {
    const [, part = ''] = page.split(`### \`${name}\`\n`)
    const [text = ''] = part.split('\n#')
    expect(text.trim().length).toBeGreaterThan(80)
  })
})

test('cookies, origin checks, rotation and binding have lines', () => {
  const id = '[0-9a-f-]{36}'
  const expected: Record<keyof typeof decisions, string[]> = {
    login: [
      'origin of "POST" \\(login\\): allowed',
      `login: {"sessionId":"${id}","userId":"ann","cause":"login"}`,
      `cookie sid set for session ${id} \\(not Secure, SameSite lax, path /, for our host alone\\)`,
      `GET /reset/…: user "ann", session ${id} \\(reads the cookie sid; sent: sid of session ${id}\\)`,
      'cookie sid cleared',
      `logout: {"sessionId":"${id}","userId":"ann","cause":"logout","replaced":false}`,
    ],
    rotation: [
      `session ${id}: touch, the idle deadline moves: ok`,
      `session ${id}: rotation, a successor of the secret is issued: ok`,
      `rotate: {"sessionId":"${id}"`,
      `session ${id}: rotation, the successor becomes the secret: ok`,
    ],
    binding: [
      `binding of session ${id}: the key is registered`,
      `bind: {"sessionId":"${id}"`,
      `binding of session ${id}: a bound cookie is issued`,
      `binding of session ${id}: no good proof, a challenge is sent`,
    ],
    forgedLine: ['login: .*eve\\\\nEXPRESS-SID 1: user'],
  }
  for (const [name, patterns] of Object.entries(expected)) {
    for (const pattern of patterns) {
      expect([name, run.lines[name]]).toEqual([
        name,
        expect.arrayContaining([expect.stringMatching(`^EXPRESS-SID \\d+: ${pattern}`)]),
      ])
    }
  }
})

test('no line holds a secret, a value of a cookie, a query or an address, and all are lines of ours', () => {
  expect(run.printed).not.toMatch(/[\w-]{43}/)
  expect(run.printed).not.toMatch(/query-secret|0123456789abcdefghijklmnop|203\.0\.113/)
  const all = Object.values(run.lines).flat()
  expect(all.length).toBeGreaterThan(80)
  for (const line of all) expect(line).toMatch(/^EXPRESS-SID \d+: |ExpressSidWarning|^\(Use `node/)
})

test('without NODE_DEBUG nothing is printed', async () => {
  const quiet = await runAll('')
  expect(quiet.printed).not.toContain('EXPRESS-SID')
  expect(quiet.reasons).toEqual(run.reasons)
})

test('a request with a user has no reason, and the client is told none', async () => {
  const { express5, site } = await import('../../support/site.js')
  const { requireUser, sessionOf } = await import('express-sid')
  const { visitor, logIn } = site(express5, {}, (app) => {
    app.get('/guarded', requireUser(), (req, res) => res.json({ reason: sessionOf(req).reason ?? null }))
  })
  expect((await (await logIn()).get('/guarded')).body).toEqual({ reason: null })
  const stranger = await visitor({ cookie: 'sid=malformed-value' }).get('/guarded')
  expect(stranger.status).toBe(401)
  expect(JSON.stringify([stranger.headers, stranger.text])).not.toMatch(/malformed|reason/)
})
