import {
  AccountsDemo,
  faultsOf,
  laptop,
  phone,
  sees,
  signIn,
  signUp,
  support,
  type Person,
} from '../support/accounts-demo.js'
import { seriousFaults } from '../support/axe.js'
import { needs } from '../support/needs.js'
import { scratchFolder } from '../support/scratch.js'
import { wide } from '../support/wide.js'

// The accounts demo as one person with two devices uses it. Every page in every look is in accounts.long.test.ts.

const file = scratchFolder()
const ann: Person = { name: 'Ann', email: 'ann@example.com', password: 'three words and a dot.' }
const newPassword = 'four other words here'

needs('chromium')('the accounts demo, in a browser', () => {
  let demo: AccountsDemo
  beforeAll(async () => {
    demo = await AccountsDemo.start(file('accounts.sqlite'), '8s')
    const page = await demo.profile(laptop)
    await signUp(page, ann)
    await demo.leave()
  }, 30_000)
  afterAll(() => demo.stop())
  afterEach(async () => {
    await demo.leave()
    expect(demo.refused).toEqual([])
  })

  test('two devices: each is listed, one ends the other, whose open page closes at once', async () => {
    const [one, other] = [await demo.profile(laptop), await demo.profile(phone)]
    await signIn(one, ann)
    await signIn(other, ann)
    await Promise.all([sees(one, 'Live on 2 devices'), sees(other, 'Live on 2 devices')])

    await one.getByRole('link', { name: 'Devices' }).first().click()
    const names = await one.getByRole('heading', { level: 2 }).allTextContents()
    expect(names).toEqual(
      expect.arrayContaining([expect.stringMatching(/Chrome.* on Linux$/), 'Safari on iOS']),
    )
    await one.getByRole('button', { name: /^Sign out Safari/ }).click()
    await sees(one, 'The device is signed out.')
    // It has done nothing meanwhile: its stream told it.
    await other.getByRole('heading', { name: 'You are signed out' }).waitFor({ timeout: 2_000 })
    expect(await other.locator('main').textContent()).toBe('')
    await other.goto('/account')
    expect(new URL(other.url()).pathname).toBe('/sign-in')
  }, 30_000)

  wide.test(
    'a login that is not used is warned, and goes on with one click',
    async () => {
      const page = await demo.profile(laptop)
      await signUp(page, { ...ann, name: 'Cleo', email: 'cleo@example.com' })
      const warning = page.getByRole('dialog', { name: 'Are you still there?' })
      await warning.waitFor({ timeout: 8_000 })
      expect(await warning.textContent()).toMatch(/signed out in [1-4] seconds?/)
      expect(await seriousFaults(page)).toEqual([])
      // By keyboard alone: the dialog has the focus.
      await page.keyboard.press('Enter')
      await warning.waitFor({ state: 'hidden' })
      const status = await page.evaluate("fetch('/session').then((res) => res.json())")
      expect((status as { idleSeconds: number }).idleSeconds).toBeGreaterThan(4)
    },
    30_000,
  )

  test('a new password asks for the old one, and signs out the other device at its next click', async () => {
    const [one, other] = [await demo.profile(laptop), await demo.profile(phone)]
    await signIn(one, ann)
    await signIn(other, ann)
    await other.goto('/account')
    const change = async (old: string) => {
      await one.getByLabel('Old password').fill(old)
      await one.getByLabel('New password').fill(newPassword)
      await one.getByRole('button', { name: 'Change it' }).click()
    }
    await one.goto('/account/password')
    await change('not the password')
    await sees(one, 'The old password is wrong.')
    await change(ann.password)
    await sees(one, 'The password is changed.')
    await other.getByRole('link', { name: 'Devices' }).first().click()
    await other.waitForURL('**/sign-in?returnTo=*')

    await signIn(other, ann)
    await sees(other, 'Wrong email or password.')
    expect(await faultsOf(one, '/account/activity')).toEqual([])
    const lines = await one.locator('.activity b').allTextContents()
    expect(lines[0]).toBe('Wrong password')
    expect(lines).toEqual(expect.arrayContaining(['Changed the password', 'Signed out by a new password']))
  }, 30_000)

  wide.test(
    'support acts as a user, who sees it and ends it',
    async () => {
      const [sam, one] = [await demo.profile(laptop), await demo.profile(phone)]
      await signIn(sam, support)
      await sam.getByRole('link', { name: 'Support' }).click()
      await sam.getByRole('button', { name: 'Act as Ann' }).click()
      await sees(sam, 'The notes are private.')
      const banner = sam.getByRole('complementary', { name: 'Support' })
      expect(await banner.textContent()).toContain('Sam, you act as Ann')
      expect(await seriousFaults(sam)).toEqual([])
      await sam.goto('/account/password')
      await sees(sam, 'Not as somebody else')
      await sam.goto('/')
      await sam.getByRole('button', { name: 'Stop acting' }).click()
      await sam.waitForURL('**/support')
      await sam.getByRole('button', { name: 'Act as Ann' }).click()
      await sees(sam, 'Live on this device')

      await signIn(one, { ...ann, password: newPassword })
      await one.getByRole('link', { name: 'Activity' }).first().click()
      await sees(one, 'by Sam, support')
      await one.goto('/account/devices')
      const acting = one.getByRole('listitem').filter({ hasText: 'Support acts as you' })
      await acting.getByRole('button').click()
      await sees(one, 'The device is signed out.')
      await sam.getByRole('heading', { name: 'You are signed out' }).waitFor({ timeout: 2_000 })
    },
    30_000,
  )

  test('guesses are counted, and every page has a policy that lets nothing run from elsewhere', async () => {
    const guess = () =>
      fetch(`${demo.app.url}/sign-in`, {
        method: 'POST',
        body: new URLSearchParams({ email: support.email, password: 'guess' }),
        redirect: 'manual',
      })
    const statuses: number[] = []
    for (let n = 0; n < 10; n += 1) statuses.push((await guess()).status)
    expect(new Set(statuses)).toEqual(new Set([401]))
    const stopped = await guess()
    expect([stopped.status, Number(stopped.headers.get('retry-after')) > 800]).toEqual([429, true])
    expect(stopped.headers.get('content-security-policy')).toBe(
      "default-src 'none';script-src 'self';style-src 'self';img-src 'self';connect-src 'self';" +
        "form-action 'self';frame-ancestors 'none';base-uri 'none'",
    )
  })
})
