import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express, type RequestHandler } from 'express'
import session, { MemoryStore } from 'express-session'
import { mountExpressSession, settings as expressSessionSettings } from '../contenders/express-session.js'
import { BUILD, load } from '../lib/built.js'
import { pass, prepare, type Subject } from '../lib/exchange.js'
import { inChild } from '../lib/in-child.js'
import type { Run } from '../lib/part.js'
import { say } from '../lib/say.js'
import { median, shuffled, withInterval, type Interval } from '../lib/stats.js'
import { nanoseconds, number, table } from '../lib/table.js'
import { sendUser, userOf, USERS } from '../lib/users.js'
import { Connection } from '../load/own.js'
import { cookiesOf, requestText } from '../load/request.js'

const BATCH = 200
const WEIGHINGS = 15

interface Settings {
  readonly build: string
  readonly rounds: number
}

export interface OnNode {
  readonly node: string
  readonly whole: { readonly name: string; readonly ns: Interval; readonly bytes: number }[]
}

/**
 * What the middleware costs without HTTP. Requests and responses are Express's own, made fresh for each call and before
 * the clock starts. What a middleware that does nothing costs in the same loop is taken off. Every cache is warm here, so
 * this is less than under load: see parts/profile.ts for that.
 */
export async function measure({ isQuick, nodes }: Run): Promise<OnNode[]> {
  const results: OnNode[] = []
  for (const node of nodes) {
    say(`in-process, Node ${node.version}`)
    // A young generation so large that nothing is collected within a batch.
    const execArgv = ['--expose-gc', '--max-semi-space-size=64']
    const settings = { build: BUILD, rounds: isQuick ? 120 : 1_500 }
    results.push(await inChild(import.meta.url, measureHere, settings, { node, execArgv }))
  }
  return results
}

export async function measureHere({ build, rounds }: Settings): Promise<OnNode> {
  const subjects = await makeSubjects(build)
  for (const subject of subjects.values()) await prove(subject)
  const names = [...subjects.keys()]
  const repeat = async (count: number, take: (subject: Subject) => Promise<number>) => {
    const taken = new Map<string, number[]>(names.map((name) => [name, []]))
    for (let round = 0; round < count; round++) {
      for (const name of shuffled(names)) taken.get(name)!.push(await take(subjects.get(name)!))
    }
    return taken
  }
  const times = await repeat(rounds, time)
  const bytes = await repeat(WEIGHINGS, weigh)
  // The first quarter is a warm-up.
  const settled = (name: string) => times.get(name)!.slice(Math.floor(rounds / 4))
  const [emptyTime, emptyBytes] = [median(settled('nothing')), median(bytes.get('nothing')!)]
  const whole = names
    .filter((name) => name !== 'nothing')
    .map((name) => ({
      name,
      ns: withInterval([settled(name).map((ns) => ns - emptyTime)]),
      bytes: median(bytes.get(name)!) - emptyBytes,
    }))
  return { node: process.versions.node, whole }
}

const nothing: RequestHandler = (req, res, next) => next()

async function makeSubjects(build: string): Promise<Map<string, Subject>> {
  const { createSessions, login, sessionMiddleware } = await load(build, 'index')
  const middleware = sessionMiddleware(createSessions())
  const cookies = await logIn((app) => {
    app.use(middleware)
    app.post(
      '/login',
      login((req) => userOf(req.query.n)),
    )
  })
  const store = new MemoryStore()
  const es = session(expressSessionSettings(store))
  const esCookies = await logIn((app) => mountExpressSession(app, store))
  const app = express()
  const behindProxy = express().set('trust proxy', 1)
  return new Map<string, Subject>([
    ['nothing', { middleware: nothing, app: behindProxy, cookies }],
    ['express-sid', { middleware, app, cookies }],
    ['express-sid, behind a proxy', { middleware, app: behindProxy, cookies }],
    ['express-sid, no cookie', { middleware, app, cookies: [] }],
    ['express-session, behind a proxy', { middleware: es, app: behindProxy, cookies: esCookies }],
    ['express-session, no cookie', { middleware: es, app: behindProxy, cookies: [] }],
  ])
}

/** Logs in over HTTP, as the contenders do. Returns the cookies of each browser. */
async function logIn(mount: (app: Express) => void): Promise<string[]> {
  const app = express().set('trust proxy', 1)
  mount(app)
  app.get('/me', (req, res) => sendUser(res, undefined))
  const server = createServer(app).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const connection = await Connection.open(port)
  const cookies: string[] = []
  for (let n = 0; n < USERS; n++) {
    const response = await connection.ask(requestText('POST', `/login?n=${n}`))
    cookies.push(cookiesOf(response)!)
  }
  connection.close()
  server.close()
  return cookies
}

/** Nanoseconds a request, in one batch. */
async function time(subject: Subject): Promise<number> {
  const batch = prepare(subject, BATCH)
  const start = process.hrtime.bigint()
  await pass(subject, batch)
  return Number(process.hrtime.bigint() - start) / BATCH
}

/** Bytes allocated for each request: the young generation is large enough to keep a whole batch uncollected. */
async function weigh(subject: Subject): Promise<number> {
  globalThis.gc!()
  for (let warm = 0; warm < 3; warm++) await time(subject)
  const batch = prepare(subject, BATCH)
  const before = process.memoryUsage().heapUsed
  await pass(subject, batch)
  return (process.memoryUsage().heapUsed - before) / BATCH
}

/** Whoever is sent a cookie must know whose request it is, before it is measured how fast. */
async function prove(subject: Subject): Promise<void> {
  const batch = prepare(subject, 1)
  await pass(subject, batch)
  const req = batch.exchanges[0]!.req as unknown as { user?: object; session?: { user?: object } }
  const isKnown = (req.user ?? req.session?.user) !== undefined
  const mustKnow = subject.middleware !== nothing && subject.cookies.length > 0
  if (isKnown !== mustKnow) throw new Error('A middleware must know its users, and nobody else')
}

export function report(results: OnNode[]): string {
  return results
    .map(({ node, whole }) =>
      table(
        [`in the process, Node ${node}`, 'a request', 'interval', 'allocates'],
        whole.map(({ name, ns, bytes }) => [
          name,
          nanoseconds(ns.median),
          `${nanoseconds(ns.low)} to ${nanoseconds(ns.high)}`,
          `${number(bytes)} B`,
        ]),
      ),
    )
    .join('\n\n')
}
