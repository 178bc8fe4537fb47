import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createSessions, login, memoryStore, refuse, type SessionOptions, type Sessions } from 'express-sid'
import { Events } from '../../src/core/events/events.js'
import { chrome, firefox } from '../support/people.js'
import { express5, site } from '../support/site.js'
import { codeBlocks, readText, runBlock } from './support/page.js'

const text = readText('docs/audit.md')
const ip = '127.0.0.1'

test('every block of code runs here', () => {
  expect(codeBlocks(text)).toHaveLength(4)
})

test('the log has a row for each thing that happened, with who, from where, and why', async () => {
  const { sessions, logIn } = site(express5)
  const rows: unknown[][] = []
  runBlock(
    "sessions.on('event'",
    { sessions, db: { query: (_: string, row: unknown[]) => rows.push(row) } },
    text,
  )
  const [phone, laptop] = [await logIn(firefox), await logIn(chrome)]
  await laptop.run((session) => session.revokeOthers())
  await laptop.logout()
  const at = expect.any(Date) as Date
  expect(rows).toEqual([
    ['login', at, phone.id, 'ann', undefined, ip, firefox.userAgent, 'login'],
    ['login', at, expect.any(String), 'ann', undefined, ip, chrome.userAgent, 'login'],
    ['revoke', at, phone.id, 'ann', undefined, ip, chrome.userAgent, 'revokeOthers'],
    ['logout', at, expect.any(String), 'ann', undefined, ip, chrome.userAgent, 'logout'],
  ])
})

test('an alert is one listener', async () => {
  const { sessions, visitor } = site(express5, {}, (app) => {
    app.post(
      '/refused',
      login(() => refuse({ reason: 'locked', userId: 7 })),
    )
  })
  const log = { warn: jest.fn() }
  runBlock("sessions.on('loginRefused'", { sessions, log, alert: () => undefined }, text)
  await visitor().post('/refused')
  expect(log.warn.mock.calls).toEqual([[{ userId: 7, ip, reason: 'locked' }]])
})

test('a session keeps less, and says where its login came from', async () => {
  const made: Sessions[] = []
  const globals = {
    store: memoryStore(),
    geo: { city: async (address: string) => (address === ip ? { name: 'Berlin' } : undefined) },
    createSessions: (options: SessionOptions) => made[made.push(createSessions(options)) - 1],
  }
  runBlock('recordAddress', globals, text)
  const { logIn } = site(express5, made[0])
  expect(await made[0]!.find((await logIn()).id)).toMatchObject({ ip: '127.0.0.0', place: 'Berlin' })
})

test('the channel of the page is the one that is published on', () => {
  const tracer = { record: jest.fn() }
  const subscribers: Parameters<typeof subscribe>[] = []
  const code = codeBlocks(text).find((block) => block.includes('diagnostics_channel'))!
  const listen = (...args: Parameters<typeof subscribe>) => {
    subscribers.push(args)
    subscribe(...args)
  }
  runBlock(
    'subscribe(',
    { subscribe: listen, tracer },
    `\`\`\`js\n${code.replace(/^import .*$/m, '')}\`\`\`\n`,
  )
  try {
    new Events().emit('unawaited', { call: 'set()', place: 'here', error: undefined })
  } finally {
    for (const args of subscribers) unsubscribe(...args)
  }
  expect(tracer.record).toHaveBeenCalledWith('unawaited', expect.any(Number), { cause: undefined })
})

test('the table has every field that all events have, and no other', () => {
  const seen: object[] = []
  const events = new Events()
  events.on('revoke', (event) => seen.push(event))
  events.emit('revoke', {})
  const [, table] = /^## What an event says\n(.*?)^## /ms.exec(text)!
  const rows = [...table!.matchAll(/^\| `(\w+)` /gm)].map(([, name]) => name)
  expect(rows).toEqual(Object.keys(seen[0]!))
})
