import express from 'express'
import {
  createSessions,
  memoryStore,
  requireUser,
  sessionMiddleware,
  sessionOf,
  type SessionOptions,
  type Sessions,
} from 'express-sid'
import { bindingOptions } from '../../src/http/binding/options.js'
import { codeBlocks, readText, runBlock } from './support/page.js'

const text = readText('docs/device-binding.md')

test('the table has every option with its default, and no other', () => {
  const [, table] = /^## Options\n(.*?)^## /ms.exec(text)!
  const rows = [...table!.matchAll(/^\| `(\w+)` *\| (.*?) *\|/gm)].map(([, name, given]) => [name, given])
  const options = Object.entries(bindingOptions).map(([name, option]) => {
    if ('defaultText' in option) return [name, option.defaultText]
    return [name, `\`'${option.default}'\``]
  })
  expect(rows).toEqual(options)
})

test('the code runs', () => {
  const app = express()
  const made: Sessions[] = []
  const globals = {
    app,
    createSessions: (options: SessionOptions) => made[made.push(createSessions(options)) - 1],
    sessionMiddleware,
    store: memoryStore(),
  }
  runBlock('createSessions({ store, deviceBinding: true })', globals, text)
  const more = { app, requireUser, sessionOf, sessions: made[0], transfer: () => undefined, log: console }
  runBlock("sessions.on('bind'", more, text)
  expect(made).toHaveLength(1)
  expect(codeBlocks(text)).toHaveLength(2)
})
