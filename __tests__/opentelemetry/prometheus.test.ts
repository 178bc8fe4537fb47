import { execFile, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import express from 'express'
import request from 'supertest'
import { createSessions, memoryStore, sessionMiddleware, type Sessions, type SessionStore } from 'express-sid'
import { telemetry } from 'express-sid/opentelemetry'
import { wiringOf } from '../../src/http/wiring.js'
import { codeBlocks, readText, root } from '../docs/support/page.js'
import { listen } from '../support/listen.js'
import { needs } from '../support/needs.js'
import { makeRecord } from 'express-sid/testing'
import { eventually, freePort } from '../support/redis-servers.js'
import { scratchFolder } from '../support/scratch.js'
import { replacing } from '../support/stores.js'

// The recipe, the dashboard and the alerts of docs/operating.md, on a real Prometheus.

jest.setTimeout(60_000)

interface Panel {
  readonly title: string
  readonly targets: readonly { readonly expr: string }[]
}
const { panels } = JSON.parse(readText('docs/grafana.json')) as { panels: readonly Panel[] }
const rules = 'docs/prometheus-rules.yml'

/** The recipe of the page, as it is written there, with what it takes for given. */
function runRecipe(app: express.Express, sessions: Sessions): void {
  const code = codeBlocks(readText('docs/operating.md')).find((block) =>
    block.includes('PrometheusExporter('),
  )!
  const names = { PrometheusExporter, MeterProvider, telemetry, sessionMiddleware, sessions, app }
  // oxlint-disable-next-line typescript/no-implied-eval -- the code is a block of our own page
  const run = new Function(...Object.keys(names), code.replaceAll(/^import .*$/gm, ''))
  run(...Object.values(names))
}

/** A store with a bit of everything: conflicts, failures, a count. */
function troubledStore(): SessionStore {
  const memory = memoryStore()
  let calls = 0
  const store = replacing(memory, {
    getMany: undefined,
    count: () => 7,
    get: (id) => {
      if ((calls += 1) % 3 === 0) throw new Error('away')
      return memory.get(id)
    },
    update: (record, ifVersion) => (calls % 2 === 0 ? 'conflict' : memory.update(record, ifVersion)),
  })
  return store
}

/** What a busy day brings: real calls, and the rarer events by hand. */
async function makeTraffic(app: express.Express, sessions: Sessions): Promise<void> {
  const { engine } = wiringOf(sessions)!
  const record = makeRecord({ userId: 'ann' })
  const client = { userAgent: 'Firefox', ip: '203.0.113.7' }
  const about = { record, client }
  engine.events.emit('login', about)
  engine.events.emit('loginRefused', { client, userId: 'ann', reason: 'locked' })
  engine.events.emit('logout', { ...about, replaced: false })
  engine.events.emit('rotate', about)
  engine.events.emit('reuse', { ...about, ended: true })
  engine.events.emit('stale', { ...about, reason: 'missing' })
  engine.events.emit('clientChange', {
    ...about,
    refused: true,
    changes: ['engine'],
    recorded: client,
    seen: client,
  })
  engine.events.emit('unawaited', { call: 'x', place: 'y', error: undefined })
  await Promise.resolve(engine.records.insert(record))
  await Promise.resolve(engine.records.insert(makeRecord({ expiresAt: 1 })))
  await engine.records.expiryStep!(10, undefined)
  for (let count = 0; count < 6; count += 1) {
    await sessions.check()
    await Promise.resolve(engine.records.update({ ...record, version: 2 }, 1)).catch(() => undefined)
  }
  await request(app).get('/')
  await request(app).post('/').set('Cookie', `__Host-sid=x`).set('Origin', 'https://evil.example')
  const token = `${record.id}.${'A'.repeat(65)}`
  await request(app).get('/').set('Cookie', `sid=${token}`)
  await request(app).get('/').set('Cookie', `sid=${token}`)
  await request(app).get('/').set('Cookie', `sid=${token}`)
}

needs('prometheus')('on Prometheus', () => {
  const file = scratchFolder()
  let ask: (query: string) => Promise<{ status: string; data?: { result: unknown[] } }>
  let stop: () => Promise<void>

  beforeAll(async () => {
    const sessions = createSessions({ store: troubledStore() })
    const app = express()
    runRecipe(app, sessions)
    app.get('/', (_req, res) => void res.send('hello'))
    app.use(((_error, _req, res, _next) => void res.status(503).end()) as express.ErrorRequestHandler)
    const { port: appPort, close } = await listen(app)
    const port = await freePort()
    const config = file('prometheus.yml')
    writeFileSync(
      config,
      `global: { scrape_interval: 500ms, evaluation_interval: 500ms }
rule_files: ['${join(root, rules)}']
scrape_configs: [{ job_name: app, static_configs: [{ targets: ['127.0.0.1:${appPort}'] }] }]
`,
    )
    const server = spawn(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${file('data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=error',
      ],
      { stdio: 'ignore' },
    )
    ask = async (query) => {
      const url = `http://127.0.0.1:${port}/api/v1/query?${new URLSearchParams({ query }).toString()}`
      return (await (await fetch(url)).json()) as Awaited<ReturnType<typeof ask>>
    }
    stop = async () => {
      server.kill('SIGKILL')
      await sessions.close()
      await close()
    }
    // Rates need two values: one from before, one from after.
    await makeTraffic(app, sessions)
    const scrapes = async () => {
      const { data } = await ask('count_over_time(up[1m])').catch(() => ({ data: undefined }))
      return Number((data?.result[0] as { value: [number, string] } | undefined)?.value[1] ?? 0)
    }
    await eventually(async () => (await scrapes()) >= 2)
    await makeTraffic(app, sessions)
    const before = await scrapes()
    await eventually(async () => (await scrapes()) >= before + 2)
  })
  afterAll(() => stop())

  test.each(panels.map(({ title, targets }) => [title, targets] as const))(
    'the dashboard shows something in "%s"',
    async (_, targets) => {
      expect(targets).not.toEqual([])
      for (const { expr } of targets) {
        const answer = await ask(expr.replaceAll('$__rate_interval', '1m'))
        expect(answer).toMatchObject({ status: 'success' })
        expect(answer.data?.result).not.toEqual([])
      }
    },
  )

  const alerts = [...readText(rules).matchAll(/- alert: (\w+)\s+expr: (?:>\s+)?(.*?)\n\s+(?:for|labels):/gs)]
  test.each(alerts.map(([, name, expr]) => [name!, expr!.replaceAll(/\s+/g, ' ')]))(
    'the alert %s is a query that runs',
    async (_, expr) => {
      expect(await ask(expr)).toMatchObject({ status: 'success' })
      // What it compares is there: the rule can fire.
      const [left] = expr.split(/ > /)
      expect((await ask(left!)).data?.result).not.toEqual([])
    },
  )

  test('the alerts are rules that Prometheus takes, each with a query of its own', async () => {
    // Not in sync: this process serves the metrics, and those of an app that does not respond in time are stale at once.
    const { stdout } = await promisify(execFile)('promtool', ['check', 'rules', join(root, rules)])
    expect(alerts.length).toBeGreaterThan(4)
    expect(stdout).toContain(`${alerts.length} rules found`)
  })

  test('every metric of the page is there, and the page has every metric', async () => {
    const { data } = await ask('{__name__=~"express_sid_.+"}')
    const names = (data!.result as { metric: Record<string, string> }[]).map(
      ({ metric }) => metric['__name__']!,
    )
    const plain = new Set(names.map((name) => name.replace(/_(?:bucket|sum|count)$/, '')))
    const onPage = [...readText('docs/operating.md').matchAll(/^\| `(express_sid_\w+)`/gm)].map(
      ([, name]) => name!,
    )
    expect([...plain].toSorted()).toEqual(onPage.toSorted())
  })
})
