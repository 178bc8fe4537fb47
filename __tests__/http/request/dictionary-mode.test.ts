import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Request } from 'express'
import { useDictionaryMode } from '../../../src/http/request/dictionary-mode.js'
import { sessionMiddleware } from '../../../src/index.js'
import { expresses } from '../../support/site.js'
import { Visitor } from '../../support/visitor.js'

setFlagsFromString('--allow-natives-syntax')
const isDictionary = runInNewContext('(object) => !%HasFastProperties(object)') as (object: object) => boolean
const v8 = Number.parseInt(process.versions.v8, 10)

describe('the hidden classes of requests and responses', () => {
  it.each(expresses)(
    'are given up for a dictionary by %s, where each would have its own',
    async (_, express) => {
      const seen: Request[] = []
      const app = express()
      app.use(sessionMiddleware())
      app.get('/', (req, res) => {
        seen.push(req)
        res.end()
      })
      await new Visitor(app).get()
      expect([isDictionary(seen[0]!), isDictionary(seen[0]!.res!)]).toEqual([v8 < 13, v8 < 13])
    },
  )

  it('are eased without a trace: both objects have what they had', () => {
    const req: { res?: object; url: string } = { url: '/' }
    const res = { statusCode: 200, req, locals: {} }
    req.res = res
    useDictionaryMode(req, res)
    expect(Object.keys(req).toSorted()).toEqual(['res', 'url'])
    expect(Object.keys(res).toSorted()).toEqual(['locals', 'req', 'statusCode'])
    expect(req.res).toBe(res)
    expect(res.req).toBe(req)
  })

  it('are left alone where Express has made no links', () => {
    const req = { url: '/' }
    useDictionaryMode(req, Object.freeze({ statusCode: 200 }))
    expect(Object.keys(req)).toEqual(['url'])
  })
})
