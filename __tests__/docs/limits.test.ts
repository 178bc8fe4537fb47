import { memoryStore, createSessions, type SessionOptions } from 'express-sid'
import { express5, site } from '../support/site.js'
import { login } from 'express-sid'
import { readText, runBlock } from './support/page.js'

// docs/limits.md: its code runs, and does what the page says.

const text = readText('docs/limits.md')

/** The site of a manager that a block of the page makes. */
function siteOf(block: string) {
  const made: SessionOptions[] = []
  const make = (options: SessionOptions) => made.push(options)
  runBlock(block, { createSessions: make, store: memoryStore() }, text)
  return site(express5, createSessions(made[0]), (app) => {
    app.post(
      '/as/:id',
      login((req) => ({ id: req.params.id, plan: req.params.id })),
    )
  })
}

test('three devices, and the fourth login ends the first one', async () => {
  const { visitor } = siteOf('maxSessions: 3')
  const browsers = [visitor(), visitor(), visitor(), visitor()]
  for (const browser of browsers) expect((await browser.post('/as/ann')).status).toBe(200)
  const users = await Promise.all(browsers.map((browser) => browser.user()))
  expect(users.map((user) => user !== null)).toEqual([false, true, true, true])
})

test('ten for a team, two for others, and the next one is refused', async () => {
  const { visitor } = siteOf("plan === 'team'")
  const statuses = async (id: string) => {
    const all: number[] = []
    for (let at = 0; at < 11; at += 1) all.push((await visitor().post(`/as/${id}`)).status)
    return all
  }
  expect(await statuses('team')).toEqual([...Array.from({ length: 10 }, () => 200), 403])
  expect(await statuses('alone')).toEqual([200, 200, ...Array.from({ length: 9 }, () => 403)])
})
