import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { io as connect, type Socket } from 'socket.io-client'
import request from 'supertest'
import { io, server, sessions } from '../../examples/sockets.js'

// The chat of docs/guides/sockets.md, with clients of socket.io.

const open: Socket[] = []
beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(async () => {
  for (const socket of open) socket.close()
  await io.close()
  await sessions.close()
})

/** The cookie of a new login. */
async function logIn(name: string): Promise<string> {
  const { headers } = await request(server).post('/login').type('form').send({ name }).expect(200)
  return (headers['set-cookie'] as unknown as string[])[0]!.split(';')[0]!
}

function socketWith(headers: Record<string, string>): Socket {
  const { port } = server.address() as AddressInfo
  const socket = connect(`http://127.0.0.1:${port}`, {
    extraHeaders: headers,
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
  })
  open.push(socket)
  return socket
}

/** Resolves with the arguments of the next event of this name. */
const next = (socket: Socket, event: string) =>
  new Promise<unknown[]>((resolve) => {
    socket.once(event, (...args: unknown[]) => resolve(args))
  })

test('a stranger gets no socket, and neither does a page of another origin', async () => {
  const [error] = await next(socketWith({}), 'connect_error')
  expect(error).toMatchObject({ message: 'UNAUTHENTICATED' })
  const Cookie = await logIn('ann')
  const evil = socketWith({ Cookie, Origin: 'https://evil.example.com' })
  await next(evil, 'connect_error')
  expect(evil.connected).toBe(false)
})

test('who has logged in is heard by name, and is out with the logout, on this device alone', async () => {
  const [phoneCookie, laptopCookie] = [await logIn('ann'), await logIn('ann')]
  const [phone, laptop] = [socketWith({ Cookie: phoneCookie }), socketWith({ Cookie: laptopCookie })]
  await Promise.all([next(phone, 'connect'), next(laptop, 'connect')])
  const heard = next(laptop, 'said')
  phone.emit('say', 'hello')
  expect(await heard).toEqual([{ by: 'ann', text: 'hello' }])

  const gone = next(phone, 'disconnect')
  await request(server).post('/logout').set('Cookie', phoneCookie).expect(200)
  expect((await gone)[0]).toBe('io server disconnect')
  expect(laptop.connected).toBe(true)

  const allGone = next(laptop, 'disconnect')
  await sessions.revokeAll('ann')
  await allGone
  expect(laptop.connected).toBe(false)
})
