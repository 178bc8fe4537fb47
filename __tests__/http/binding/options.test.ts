import { MemoryStore } from 'express-session'
import { createSessions, type CookieOptions, type DeviceBindingOptions } from 'express-sid'
import { fromExpressSession } from 'express-sid/express-session-store'
import { nearCache } from 'express-sid/near-cache'
import { resolveOptions } from '../../../src/http/check-options.js'
import { MINUTE } from '../../support/core.js'

const resolved = (deviceBinding: boolean | DeviceBindingOptions, cookie?: CookieOptions) =>
  resolveOptions({ deviceBinding, ...(cookie && { cookie }) }).deviceBinding

test('is off unless asked for', () => {
  expect(resolveOptions({}).deviceBinding).toBeUndefined()
  expect(resolved(false)).toBeUndefined()
})

test('has defaults', () => {
  expect(resolved(true)).toEqual({
    ttl: 10 * MINUTE,
    path: '/_session/binding',
    unbound: 'allow',
    refreshFrom: ['*'],
    cookieName: '__Host-sid',
    sameSite: 'lax',
  })
})

test('takes what is given', () => {
  const given = {
    ttl: '5m',
    path: '/auth/device',
    unbound: 'refuse',
    refreshFrom: ['*.example.com'],
  } as const
  expect(resolved(given, { name: 'app', secure: true })).toMatchObject({
    ...given,
    ttl: 5 * MINUTE,
    cookieName: 'app',
  })
})

test("with sameSite 'none' no other site may make the device sign, unless it is named", () => {
  const cookie = { sameSite: 'none' } as const
  expect(resolved(true, cookie)).toMatchObject({ refreshFrom: [], sameSite: 'none' })
  expect(resolved({ refreshFrom: ['a.example'] }, cookie)).toMatchObject({ refreshFrom: ['a.example'] })
})

test.each<[string, unknown, RegExp]>([
  ['another type', 'yes', /deviceBinding must be an object such as \{ ttl: '10m' \}, not "yes"/],
  ['null', null, /deviceBinding must be an object/],
  ['a misspelt option', { tlt: '10m' }, /tlt.*ttl/],
  ['a short ttl', { ttl: '4m' }, /deviceBinding\.ttl .* five minutes or longer/],
  ['a ttl that is no duration', { ttl: 'soon' }, /deviceBinding\.ttl/],
  ['a path without a slash', { path: 'binding' }, /deviceBinding\.path/],
  ['a path with a query', { path: '/a?b' }, /deviceBinding\.path/],
  ['a path with a quote', { path: '/a"b' }, /deviceBinding\.path/],
  ['the root as a path', { path: '/' }, /deviceBinding\.path/],
  ['another word for unbound', { unbound: 'deny' }, /'allow', 'refuse'/],
  ['an origin in refreshFrom', { refreshFrom: ['https://a.example'] }, /hosts without scheme/],
  ['a text as refreshFrom', { refreshFrom: '*' }, /hosts without scheme/],
])('refuses %s at the start, and says the fix', (_what, deviceBinding, message) => {
  const make = () => createSessions({ deviceBinding: deviceBinding as boolean })
  expect(make).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringMatching(message) }),
  )
})

test.each<[string, CookieOptions]>([
  ['cookie.domain', { domain: 'example.com' }],
  ['cookie.path', { path: '/app' }],
  ['cookie.partitioned', { partitioned: true }],
  ['cookie.secure: false', { secure: false }],
])('can not be combined with %s', (what, cookie) => {
  const make = () => createSessions({ deviceBinding: true, cookie })
  expect(make).toThrow(`deviceBinding can't be used with ${what}: `)
})

test('can not be combined with a store of express-session, nor with a near cache over one', () => {
  const kept = fromExpressSession(new MemoryStore())
  for (const store of [kept, nearCache(kept)]) {
    expect(() => createSessions({ deviceBinding: true, store })).toThrow(
      "deviceBinding can't be used with this store",
    )
  }
})
