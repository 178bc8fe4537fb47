import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Request } from 'express'
import request from 'supertest'
import { easeHiddenClasses } from '../../src/http/hidden-class.js'
import { sessionMiddleware } from '../../src/index.js'
import { expresses } from './support/apps.js'

setFlagsFromString('--allow-natives-syntax')
const haveSameHiddenClass = runInNewContext('(a, b) => %HaveSameMap(a, b)') as (
  a: object,
  b: object,
) => boolean

describe('the hidden classes of requests and responses', () => {
  it.each(expresses)(
    'are shared by the requests of %s, so that V8 need not learn each anew',
    async (_, express) => {
      const seen: Request[] = []
      const app = express()
      app.use(sessionMiddleware())
      app.get('/', (req, res) => {
        seen.push(req)
        res.end()
      })
      await request(app).get('/')
      await request(app).get('/')
      const [first, second] = seen
      expect(haveSameHiddenClass(first!, second!)).toBe(true)
      expect(haveSameHiddenClass(first!.res!, second!.res!)).toBe(true)
    },
  )

  it('are eased without a trace: both objects have what they had', () => {
    const req: { res?: object; url: string } = { url: '/' }
    const res = { statusCode: 200, req, locals: {} }
    req.res = res
    easeHiddenClasses(req, res)
    expect(Object.keys(req).toSorted()).toEqual(['res', 'url'])
    expect(Object.keys(res).toSorted()).toEqual(['locals', 'req', 'statusCode'])
    expect(req.res).toBe(res)
    expect(res.req).toBe(req)
  })

  it('are left alone where Express has made no links', () => {
    const req = { url: '/' }
    easeHiddenClasses(req, Object.freeze({ statusCode: 200 }))
    expect(Object.keys(req)).toEqual(['url'])
  })
})
