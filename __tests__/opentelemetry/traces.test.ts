import { SpanKind, context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import express from 'express'
import request from 'supertest'
import { createSessions, login, memoryStore, sessionMiddleware, sessionOf } from 'express-sid'
import { telemetry } from 'express-sid/opentelemetry'
import { wiringOf } from '../../src/http/wiring.js'
import { listen } from '../support/listen.js'
import { answerWithCode } from '../support/site.js'
import { asyncStore, failing, replacing } from '../support/stores.js'

// Spans of store calls, as a receiver of OTLP gets them over HTTP.

interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue?: string }
}
interface Span {
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly attributes: Attribute[]
  readonly status: { readonly code?: number; readonly message?: string }
}
interface Export {
  readonly resourceSpans: { readonly scopeSpans: { readonly spans: Span[] }[] }[]
}

/** A receiver: the spans, and all bodies as text. */
async function receiver() {
  const bodies: string[] = []
  const app = express().post('/v1/traces', express.text({ type: () => true, limit: '1mb' }), (req, res) => {
    bodies.push(req.body as string)
    res.json({})
  })
  const spans = () =>
    bodies
      .flatMap((body) => (JSON.parse(body) as Export).resourceSpans)
      .flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans))
  return { ...(await listen(app)), bodies, spans }
}

const contexts = new AsyncLocalStorageContextManager()
beforeAll(() => context.setGlobalContextManager(contexts.enable()))
afterAll(() => context.disable())

let otlp: Awaited<ReturnType<typeof receiver>>
let provider: BasicTracerProvider
beforeEach(async () => {
  otlp = await receiver()
  const exporter = new OTLPTraceExporter({ url: `${otlp.url}/v1/traces` })
  provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] })
})
afterEach(async () => {
  await provider.shutdown()
  await otlp.close()
})

/** Everything that a span says, without times. */
const said = ({ attributes }: Span) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]))

function tracedApp(store = asyncStore(memoryStore())) {
  const sessions = createSessions({ store })
  telemetry(sessions, { store: 'mem', tracerProvider: provider })
  const tracer = provider.getTracer('the app')
  const app = express()
  // As an instrumentation of HTTP does it.
  app.use((req, res, next) => {
    tracer.startActiveSpan(`${req.method} ${req.path}`, { kind: SpanKind.SERVER }, (span) => {
      res.once('close', () => span.end())
      next()
    })
  })
  app.use(sessionMiddleware(sessions))
  app.post(
    '/login',
    login(() => ({ id: 'ann-4711' })),
  )
  app.get('/', (req, res) => void res.send(sessionOf(req).id))
  app.use(answerWithCode())
  return { app, sessions }
}

test('each call of a traced request is a span below the request’s, with the store and the result', async () => {
  const { app, sessions } = tracedApp()
  const agent = request.agent(app)
  const { headers } = await agent.post('/login').expect(200)
  const { text: sessionId } = await agent.get('/').expect(200)
  await provider.forceFlush()

  const spans = otlp.spans()
  const [post, get] = ['POST /login', 'GET /'].map((name) => spans.find((span) => span.name === name)!)
  const below = (parent: Span) => spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId)
  expect(below(post!).map(({ name }) => name)).toEqual(['express-sid insert'])
  expect(below(get!).map(({ name, kind }) => [name, kind])).toEqual([['express-sid get', 3]])
  expect(said(below(get!)[0]!)).toEqual({
    'express_sid.store': 'mem',
    'express_sid.operation': 'get',
    'express_sid.result': 'ok',
  })
  expect(below(get!)[0]!.traceId).toBe(get!.traceId)
  // Nobody's id, and no part of the cookie.
  const token = /sid=([^;]+)/.exec(String(headers['set-cookie']))![1]!
  for (const secret of ['ann-4711', sessionId, token]) expect(otlp.bodies.join()).not.toContain(secret)
  await sessions.close()
})

test('a call that fails is an error with its code, and without what the driver said', async () => {
  const broken = failing(asyncStore(memoryStore()), 'get', () =>
    Promise.reject(new Error('no route to redis://:hunter2@10.0.0.9')),
  )
  const { app, sessions } = tracedApp(replacing(broken, { getMany: undefined }))
  const agent = request.agent(app)
  await agent.post('/login').expect(200)
  await agent.get('/').expect(503)
  await provider.forceFlush()
  const failed = otlp.spans().find(({ name }) => name === 'express-sid get')!
  expect(failed.status).toEqual({ code: 2, message: 'STORE_FAILED' })
  expect(said(failed)['error.type']).toBe('STORE_FAILED')
  expect(otlp.bodies.join()).not.toContain('hunter2')
  await sessions.close()
})

test('what belongs to no request makes no span', async () => {
  const { sessions } = tracedApp()
  await sessions.find('019a0000-0000-7000-8000-000000000000')
  await wiringOf(sessions)!.engine.records.expiryStep!(10, undefined)
  trace.getTracer('nobody').startSpan('nothing').end()
  await provider.forceFlush()
  expect(otlp.spans()).toEqual([])
  await sessions.close()
})
