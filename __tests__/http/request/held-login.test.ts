import { rejectionOf } from '../../support/core.js'
import { ann, firefox } from '../../support/people.js'
import { expresses, site } from '../../support/site.js'
import { setCookies } from '../../support/visitor.js'

const writes = ['set', 'update'] as const

describe.each(expresses)(
  'a login that the browser holds and this request may not use, on %s',
  (_name, module) => {
    test.each(writes)('is not replaced by what %s() of another engine keeps', async (write) => {
      const browser = await site(module).logIn()
      const other = browser.copy(firefox)
      const res = await other.run((session) =>
        write === 'set' ? session.set('seen', 1) : session.update('seen', () => 1),
      )
      expect([res.status, res.body.code]).toEqual([401, 'SESSION_REFUSED'])
      expect(setCookies(res)).toEqual([])
      expect(other.token).toBe(browser.token)
      expect(await browser.user()).toEqual(ann)
    })

    test('is not replaced where several logins came', async () => {
      const { logIn, visitor } = site(module)
      const cookie = [(await logIn()).cookie, (await logIn()).cookie].join('; ')
      const res = await visitor().run((session) => session.set('seen', 1), { Cookie: cookie })
      expect([res.status, res.body.code]).toEqual([401, 'SESSION_REFUSED'])
      expect(setCookies(res)).toEqual([])
    })

    test('hinders no read, no removal and no new login', async () => {
      const browser = await site(module).logIn()
      const other = browser.copy(firefox)
      const read = await other.run(async (session) => {
        await session.delete('seen')
        return [session.get('seen') ?? null, (await session.take('seen')) ?? null]
      })
      expect(read.body).toEqual([null, null])
      expect((await other.login()).status).toBe(200)
      expect(await other.user()).toEqual(ann)
    })

    test('of a guest is replaced by another guest', async () => {
      const { visitor } = site(module)
      const guest = visitor()
      await guest.run((session) => session.set('cart', ['book']))
      const res = await guest.copy(firefox).run((session) => session.set('cart', []))
      expect([res.status, setCookies(res).length]).toEqual([200, 1])
    })
  },
)

describe.each(expresses)('a login whose headers left too early, on %s', (_name, module) => {
  test('leaves no user on the request, even where it can’t be taken back', async () => {
    const seen: unknown[] = []
    const { logIn, store } = site(module, { style: 'async' })
    const browser = await logIn()
    await browser.run(async (session, req, res) => {
      const attempt = rejectionOf(session.login({ id: 'bob' }))
      res.write('begun')
      store.breakAt('delete', async (work) => {
        const [left] = store.calls.filter((operation) => operation === 'delete').slice(1)
        if (left !== undefined) throw new Error('the line is dead')
        return work()
      })
      seen.push(await attempt, req.user, session.user, session.id)
      res.end()
    })
    expect(seen).toEqual([expect.objectContaining({ code: 'STORE_FAILED' }), undefined, undefined, undefined])
  })
})
