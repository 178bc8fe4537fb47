import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { AccountsDemo, faultsOf, laptop, phone, signIn, signUp, support } from '../support/accounts-demo.js'
import { needs } from '../support/needs.js'
import { scratchFolder } from '../support/scratch.js'

// Every page of the accounts demo, in light and in dark, on a laptop and on a phone. With SID_SHOTS=FOLDER each is a
// picture as well, for people to look at.

const file = scratchFolder()
const shots = process.env.SID_SHOTS

needs('chromium')('the pages of the accounts demo', () => {
  let demo: AccountsDemo
  beforeAll(async () => {
    demo = await AccountsDemo.start(file('accounts.sqlite'), '15m')
    const page = await demo.profile(laptop)
    await signUp(page, { name: 'Ann', email: 'ann@example.com', password: 'three words and a dot.' })
    await page.getByLabel('Your notes').fill('Milk, bread, a longer walk.')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.waitForURL('**/?saved')
  }, 30_000)
  afterAll(() => demo.stop())
  afterEach(() => demo.leave())

  const member = { email: 'ann@example.com', password: 'three words and a dot.' }
  const looks = [
    { ...laptop, colorScheme: 'light' },
    { ...laptop, colorScheme: 'dark' },
    { ...phone, colorScheme: 'light' },
    { ...phone, colorScheme: 'dark' },
  ] as const

  test.each(looks)(
    'have no serious fault for axe, and are no wider than the window: $viewport.width px, $colorScheme',
    async (look) => {
      const name = `${look.colorScheme}-${look.viewport.width}`
      const check = async (page: Page, path: string, as: string) => {
        expect(await faultsOf(page, path)).toEqual([])
        if (shots !== undefined) await page.screenshot({ path: join(shots, `${as}-${name}.png`) })
      }
      const stranger = await demo.profile(look)
      for (const path of ['/', '/sign-in', '/sign-up'])
        await check(stranger, path, `stranger${path.replaceAll('/', '-')}`)
      const ann = await demo.profile(look)
      await signIn(ann, member)
      await ann.waitForURL('**/')
      for (const path of [
        '/',
        '/account',
        '/account/password',
        '/account/devices',
        '/account/activity',
        '/confirm',
      ])
        await check(ann, path, `ann${path.replaceAll('/', '-')}`)
      const sam = await demo.profile(look)
      await signIn(sam, support)
      await sam.waitForURL('**/')
      await check(sam, '/support', 'sam-support')
      await sam.getByRole('button', { name: 'Act as Ann' }).click()
      await sam.waitForURL('**/')
      for (const path of ['/', '/account/devices', '/account/activity'])
        await check(sam, path, `sam-as-ann${path.replaceAll('/', '-')}`)
      expect(demo.refused).toEqual([])
    },
    120_000,
  )
})
