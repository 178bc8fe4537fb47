import express, { type Express } from 'express'
import { createSessions, login, sessionMiddleware } from 'express-sid'
import { deviceRoutes } from 'express-sid/devices'
import { style } from '../../src/devices/style.js'
import { ann } from '../support/people.js'
import { Visitor } from '../support/visitor.js'
import { codeBlocks, readText, runBlock } from './support/page.js'

const text = readText('docs/devices.md')

/** An app with the block of the page that holds this text. */
function appWith(block: string): Express {
  const app = express()
  const sessions = createSessions()
  app.use(sessionMiddleware(sessions))
  app.post(
    '/login',
    login(() => ann),
  )
  const code = text.replaceAll(/^import .*$/gm, '')
  runBlock(block, { app, sessions, sessionMiddleware, deviceRoutes }, code)
  return app
}

test('the first block is a page of devices, and each field that the table names is in its JSON, and no other', async () => {
  const visitor = new Visitor(appWith("back: '/account'"))
  await visitor.login()
  const { body } = await visitor.get('/account/devices', { Accept: 'application/json' })
  const [, table] = /^A device is:\n\n(.*?)\n\n/ms.exec(text)!
  const fields = [...table!.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name)
  expect(Object.keys((body as { devices: object[] }).devices[0]!)).toEqual(fields)
})

test('the page in another language is', async () => {
  const visitor = new Visitor(appWith('acceptsLanguages'))
  await visitor.login()
  const inGerman = { Accept: 'text/html', 'Accept-Language': 'de-AT, en;q=0.5' }
  expect((await visitor.get('/account/devices', inGerman)).text).toContain('Zuletzt benutzt <time')
  expect((await visitor.get('/account/devices', { Accept: 'text/html' })).text).toContain('Last used <time')
  expect(codeBlocks(text)).toHaveLength(2)
})

test('each variable of the style is on the page, and no other', () => {
  const named = (css: string) => new Set(css.match(/--devices-[\w-]+/g))
  expect(named(/^```css\n(.*?)^```$/ms.exec(text)![1]!)).toEqual(named(style))
})
