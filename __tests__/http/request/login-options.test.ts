import { ann } from '../../support/people.js'
import { express5, site } from '../../support/site.js'
import { setCookies } from '../../support/visitor.js'

test.each([
  [{ kep: ['cart'] }, 'sessionOf(req).login() has no option "kep". Did you mean keep?'],
  [{ keep: 'cart' }, "The option keep of sessionOf(req).login() must be an array of names, such as ['cart']"],
  [{ keep: ['cart', 7] }, 'not one with 7'],
  [{ crossSite: 'yes' }, 'crossSite of sessionOf(req).login() must be true or false'],
  [{ keep: null }, 'The option keep of sessionOf(req).login()'],
  [null, 'The options of sessionOf(req).login() must be an object, not null'],
  [['cart'], 'The options of sessionOf(req).login() must be an object, not an array'],
])('sessionOf(req).login() refuses the options %j, and logs nobody in', async (options, words) => {
  const { sessions, visitor } = site(express5)
  const res = await visitor().run((session) => session.login(ann, options as never))
  expect([res.status, res.body.code]).toEqual([500, 'OPTION_INVALID'])
  expect(res.body.message).toContain(words)
  expect(setCookies(res)).toEqual([])
  expect(await sessions.list(ann.id)).toEqual([])
})
