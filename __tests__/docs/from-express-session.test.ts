import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeConsumer, type Consumer } from '../packaging/support/packed.js'
import { newOptions } from '../../src/express-session/check-options.js'
import { codeBlocks, readText } from './support/page.js'

// docs/from-express-session.md, as a reader copies it, beside the packed package.

jest.setTimeout(120_000)
const byName = (one: string, other: string) => one.localeCompare(other)
const page = readText('docs/from-express-session.md')

test('the table has each option that is new, and its default', () => {
  const rows = [...page.matchAll(/^\| `(\w+)`\s*\| (.*?)\s*\| .*\|$/gm)].map(([, name, text]) => [name, text])
  const inSource = Object.entries(newOptions).map(([name, option]) => {
    const { defaultText, default: given } = option as { defaultText?: string; default?: unknown }
    return [name, defaultText ?? `\`${typeof given === 'string' ? `'${given}'` : String(given)}\``]
  })
  expect(rows.map(([name]) => name!).toSorted(byName)).toEqual(
    inSource.map(([name]) => name!).toSorted(byName),
  )
})

test('the app moves while its visitors stay logged in', async () => {
  const blocks = codeBlocks(page)
  const file = (name: string) => blocks.find((code) => code.startsWith(`// ${name}`))!
  const consumer: Consumer = await makeConsumer('runtime', [
    'express',
    'express-session',
    'session-file-store',
  ])
  try {
    for (const name of ['before.mjs', 'after.mjs']) writeFileSync(join(consumer.folder, name), file(name))
    writeFileSync(join(consumer.folder, 'walk.mjs'), walk)
    const said = await consumer.node(['walk.mjs'])
    expect(said.trim().split('\n')).toEqual([
      'before: Welcome ann! Your cart: tea',
      'after: Welcome ann! Your cart: tea',
      'after: Welcome ann! Your cart: tea, milk',
      'listed: ann',
      'revoked: 1',
      'after: Welcome Stranger! Your cart:',
    ])
  } finally {
    await consumer.remove()
  }
})

const walk = `
import { once } from 'node:events'
import before from './before.mjs'
import after, { sessions } from './after.mjs'

let cookie = ''
async function ask(app, method, path, body) {
  const server = app.listen(0)
  await once(server, 'listening')
  const headers = { cookie, connection: 'close', ...(body && { 'content-type': 'application/x-www-form-urlencoded' }) }
  const res = await fetch('http://127.0.0.1:' + server.address().port + path, { method, body, headers, redirect: 'manual' })
  const text = await res.text()
  for (const line of res.headers.getSetCookie()) cookie = line.split(';')[0]
  server.close()
  return text
}
await ask(before, 'POST', '/login', 'name=ann')
await ask(before, 'POST', '/cart', 'item=tea')
console.log('before:', await ask(before, 'GET', '/'))
console.log('after:', await ask(after, 'GET', '/'))
await ask(after, 'POST', '/cart', 'item=milk')
console.log('after:', await ask(after, 'GET', '/'))
console.log('listed:', (await sessions.list('ann')).map(({ userId }) => userId).join())
console.log('revoked:', await sessions.revokeAll('ann'))
console.log('after:', await ask(after, 'GET', '/'))
process.exit()
`
