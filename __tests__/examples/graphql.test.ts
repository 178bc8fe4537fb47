import request from 'supertest'
import { app, sessions } from '../../examples/graphql.js'

// The app of docs/guides/graphql.md.

afterAll(() => sessions.close())

const ask = (agent: ReturnType<typeof request.agent>, query: string) => agent.post('/graphql').send({ query })
const logIn = 'mutation { login(name: "ann", password: "tea") { id } }'

test('a user logs in, is asked for by a field, and logs out', async () => {
  const ann = request.agent(app)
  const wrong = await ask(ann, 'mutation { login(name: "ann", password: "guess") { id } }')
  expect([wrong.body, wrong.headers['set-cookie']]).toEqual([{ data: { login: null } }, undefined])
  expect((await ask(ann, logIn)).body).toEqual({ data: { login: { id: 'ann' } } })
  const { body } = await ask(ann, '{ me { id } sessions { current } }')
  expect(body).toEqual({ data: { me: { id: 'ann' }, sessions: [{ current: true }] } })
  expect((await ask(ann, 'mutation { logout }')).body).toEqual({ data: { logout: true } })
  expect((await ask(ann, '{ me { id } }')).body).toEqual({ data: { me: null } })
})

test('fields of a mutation run in turn, each with the user that the one before has left', async () => {
  const twice = 'mutation { login(name: "bob", password: "tea") { id } logout again: logout }'
  const { body } = await ask(request.agent(app), twice)
  expect(body).toEqual({ data: { login: { id: 'bob' }, logout: true, again: false } })
  expect(await sessions.list('bob')).toEqual([])
})

test('a field for users tells a stranger by its code, and what went wrong inside is not told', async () => {
  const stranger = request.agent(app)
  const refused = await ask(stranger, '{ sessions { id } }').expect(200)
  expect(refused.body.errors).toEqual([
    expect.objectContaining({ path: ['sessions'], extensions: { code: 'UNAUTHENTICATED' } }),
  ])
  const log = jest.spyOn(console, 'error').mockImplementation()
  const { text } = await ask(stranger, 'mutation { login(name: "", password: "tea") { id } }')
  expect(text).toContain('"message":"Something went wrong."')
  expect(text).toContain('"extensions":{"code":"INTERNAL"}')
  expect(log).toHaveBeenCalledTimes(1)
  log.mockRestore()
})

test('neither a page of another site nor a GET nor a form changes anything', async () => {
  const ann = request.agent(app)
  await ask(ann, logIn)
  const query = 'mutation { logout }'
  await ask(ann, query).set('Sec-Fetch-Site', 'cross-site').expect(403)
  await ann.get('/graphql').query({ query }).expect(405)
  await ann.post('/graphql').type('form').send({ query }).expect(415)
  await ann.post('/graphql').type('text/plain').send(JSON.stringify({ query })).expect(415)
  expect((await ask(ann, '{ me { id } }')).body).toEqual({ data: { me: { id: 'ann' } } })
})
