import { sessionOf } from 'express-sid'
import request from 'supertest'
import { ann } from '../../support/core.js'
import { expresses, makeApp, route, setCookies } from '../support/apps.js'

test.each([
  [{ kep: ['cart'] }, 'sessionOf(req).login() has no option "kep". Did you mean keep?'],
  [{ keep: 'cart' }, "The option keep of sessionOf(req).login() must be an array of names, such as ['cart']"],
  [{ keep: ['cart', 7] }, 'not one with 7'],
  [{ keep: null }, 'The option keep of sessionOf(req).login()'],
  [null, 'The options of sessionOf(req).login() must be an object, not null'],
  [['cart'], 'The options of sessionOf(req).login() must be an object, not an array'],
])('sessionOf(req).login() refuses the options %j, and logs nobody in', async (options, words) => {
  const { app, sessions } = makeApp(expresses[0][1], {}, (routes) => {
    routes.post(
      '/',
      route(async (req, res) => res.json(await sessionOf(req).login(ann, options as never))),
    )
  })
  const res = await request(app).post('/')
  expect([res.status, res.body.code]).toEqual([500, 'OPTION_INVALID'])
  expect(res.body.message).toContain(words)
  expect(setCookies(res)).toEqual([])
  expect(await sessions.list(ann.id)).toEqual([])
})
