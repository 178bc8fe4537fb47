import { Session, type Profiler } from 'node:inspector/promises'
import request from 'supertest'
import { cookieOf, setCookies } from '../../support/visitor.js'
import { PATH, site } from './site.js'

// An app that has not turned the option on pays nothing for it. Which functions run is what V8 itself has counted.

/** The functions of device binding that ran meanwhile, by name. */
async function functionsRun(work: () => Promise<void>): Promise<string[]> {
  const inspector = new Session()
  inspector.connect()
  await inspector.post('Profiler.enable')
  await inspector.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  await work()
  const { result } = await inspector.post('Profiler.takePreciseCoverage')
  inspector.disconnect()
  const own = result.filter(({ url }) =>
    /src\/(?:http\/binding|core\/(?:binding|device-binding|proof))/.test(url),
  )
  const ran = ({ ranges }: Profiler.FunctionCoverage) => ranges.some(({ count }) => count > 0)
  return own.flatMap(({ functions }) => functions.filter(ran).map(({ functionName }) => functionName))
}

/** What an app does all day, once it has started. */
async function aDay(options: Parameters<typeof site>[0]) {
  const { app, store, browser } = site(options)
  const visitor = browser()
  const seen: { login?: request.Response; call?: request.Response; record?: unknown } = {}
  const functions = await functionsRun(async () => {
    await visitor.get('/')
    seen.login = await visitor.post('/login')
    await visitor.get('/')
    await visitor.get('/guarded')
    await visitor.post('/cart')
    seen.call = await request(app).post(PATH).set({ 'Sec-Secure-Session-Id': visitor.sessionId })
    seen.record = store.inner.get(visitor.sessionId)
    await visitor.post('/logout')
  })
  return { functions, login: seen.login!, call: seen.call!, record: seen.record }
}

test('without the option none of it runs, nothing is sent and nothing is stored', async () => {
  const { functions, login, call, record } = await aDay({ deviceBinding: undefined })
  expect(functions).toEqual([])
  expect(login.headers).not.toHaveProperty('secure-session-registration')
  expect(setCookies(login)).toHaveLength(1)
  expect(cookieOf(login)).toMatch(/^__Host-sid=/)
  expect(call.status).toBe(404)
  expect(JSON.stringify(record)).not.toContain('binding')
})

test('with the option it does, so the test above would see it', async () => {
  const { functions, login, call } = await aDay({ deviceBinding: true })
  expect(functions).toEqual(
    expect.arrayContaining(['offered', 'isBindingCall', 'serveBinding', 'offerBinding']),
  )
  expect(login.headers).toHaveProperty('secure-session-registration')
  expect(call.status).toBe(400)
})
