import { respond } from '../../../src/http/routes/respond.js'
import { expresses } from '../../support/site.js'
import { Visitor } from '../../support/visitor.js'

describe.each(expresses)('an respond on %s', (_name, express) => {
  const app = express()
  const said = { status: 201, text: '<b>Done</b>', json: { done: true } }
  app.get('/text', (req, res) => respond(req, res, said))
  app.get('/redirect', (req, res) => respond(req, res, { ...said, redirect: '/next' }))
  const get = (path: string, accept = '') => new Visitor(app).get(path, { Accept: accept })

  test.each([
    undefined,
    '*/*',
    'text/html',
    'text/plain',
    'text/html,application/xhtml+xml,*/*;q=0.8',
    'image/png',
    'garbage',
  ])('is text for a client that accepts %s', async (accept) => {
    const res = await get('/text', accept)
    expect([res.status, res.text]).toEqual([201, '<b>Done</b>'])
    // Never HTML, whatever the words are.
    expect(res.headers['content-type']).toBe('text/plain; charset=utf-8')
  })

  test.each(['application/json', 'application/json, text/plain, */*', 'text/html;q=0.5, application/json'])(
    'is JSON for a client that accepts %s',
    async (accept) => {
      const res = await get('/text', accept)
      expect([res.status, res.body]).toEqual([201, { done: true }])
      const redirect = await get('/redirect', accept)
      expect([redirect.status, redirect.body]).toEqual([201, { done: true, redirectTo: '/next' }])
    },
  )

  test('is a 303 where there is a page to go on to, so that the next request is a GET', async () => {
    const res = await get('/redirect', 'text/html')
    expect([res.status, res.headers.location]).toEqual([303, '/next'])
  })

  test('is kept by no cache, and tells caches that it depends on Accept', async () => {
    for (const path of ['/text', '/redirect']) {
      const { headers } = await get(path)
      expect(headers['cache-control']).toBe('no-store')
      expect(headers.vary).toBe('Accept')
    }
  })
})
