import { isObject } from '../lib/json/is-object.js'
import { oneOf, text, that } from '../lib/options/option-kinds.js'
import { ofGroup, readOptions, type Option } from '../lib/options/options.js'

/**
 * What the page of `deviceRoutes()` says. Every text is optional, and in English without it. `{time}` stands for a time
 * in words, such as "3 minutes ago", which comes in the language of `lang` by itself.
 *
 * @example
 * const texts = { lang: 'de', title: 'Deine Geräte', end: 'Abmelden', lastSeen: 'Zuletzt benutzt {time}' }
 */
export interface DeviceTexts {
  /** The language of the page and of its times (BCP 47). Default `'en'`. */
  readonly lang?: string | undefined
  /** The direction of the text. Default `'ltr'`. */
  readonly dir?: 'ltr' | 'rtl' | undefined
  /** The title and the heading. Default "Your devices". */
  readonly title?: string | undefined
  /** What the page is for. */
  readonly lead?: string | undefined
  /** Marks the device that shows the page. Default "This device". */
  readonly current?: string | undefined
  /** Marks a device whose cookie can't be used elsewhere. Default "Bound to the device". */
  readonly bound?: string | undefined
  /** Marks a session in which somebody else acts as the user. Default "Support acts as you". */
  readonly acting?: string | undefined
  /** Default "Last used {time}". */
  readonly lastSeen?: string | undefined
  /** Default "Signed in {time}". */
  readonly signedIn?: string | undefined
  /** In place of a time of less than a minute ago. Default "just now". */
  readonly justNow?: string | undefined
  /** Comes before the ways of signing in. Default "with". */
  readonly by?: string | undefined
  /** The ways of signing in, each by its name in the session: `{ password: 'a password' }`. Default: the name itself. */
  readonly methods?: Readonly<Record<string, string>> | undefined
  /** In place of an address that is not known. Default "Unknown network". */
  readonly unknownNetwork?: string | undefined
  /** Ends one session. Default "Sign out". */
  readonly end?: string | undefined
  /** Ends all sessions but this one. Default "Sign out everywhere else". */
  readonly endOthers?: string | undefined
  /** Ends all sessions. Default "Sign out everywhere". */
  readonly endAll?: string | undefined
  /** Said after one session has ended. Default "The device is signed out." */
  readonly endedOne?: string | undefined
  /** Said after the others have ended. Default "All other devices are signed out." */
  readonly endedOthers?: string | undefined
  /** Said where there are more devices than the page shows. `{count}` is their number. Default "And {count} more." */
  readonly more?: string | undefined
  /** The link to the page that the option `back` names. Default "Back". */
  readonly back?: string | undefined
}

/** The texts with none left out. */
export type AllTexts = { readonly [Name in keyof DeviceTexts]-?: NonNullable<DeviceTexts[Name]> }

const isNames = (value: unknown): value is Readonly<Record<string, string>> =>
  isObject(value) && Object.values(value).every((one) => typeof one === 'string')

const isLanguage = (value: string): boolean => {
  try {
    return Intl.getCanonicalLocales(value).length === 1
  } catch {
    return false
  }
}

const a = (english: string) => ({ kind: text(), default: english, doc: english })

const table = {
  lang: { kind: text(isLanguage, "a language such as 'en' or 'pt-BR'"), default: 'en', doc: 'the language' },
  dir: { kind: oneOf('ltr', 'rtl'), default: 'ltr', doc: 'the direction of the text' },
  title: a('Your devices'),
  lead: a(
    'You are signed in on these devices. If you do not know one of them, sign it out and change your password.',
  ),
  current: a('This device'),
  bound: a('Bound to the device'),
  acting: a('Support acts as you'),
  lastSeen: a('Last used {time}'),
  signedIn: a('Signed in {time}'),
  justNow: a('just now'),
  by: a('with'),
  methods: {
    kind: that(
      isNames,
      "an object with a text for each way of signing in, such as { password: 'a password' }",
    ),
    default: {
      password: 'a password',
      passkey: 'a passkey',
      // The names of RFC 8176, which OpenID Connect uses.
      pwd: 'a password',
      otp: 'a code',
      hwk: 'a security key',
      mfa: 'two factors',
    },
    doc: 'the ways of signing in',
  },
  unknownNetwork: a('Unknown network'),
  end: a('Sign out'),
  endOthers: a('Sign out everywhere else'),
  endAll: a('Sign out everywhere'),
  endedOne: a('The device is signed out.'),
  endedOthers: a('All other devices are signed out.'),
  more: a('And {count} more.'),
  back: a('Back'),
} as const satisfies Record<keyof DeviceTexts, Option<unknown>>

const owner = ofGroup('texts', "{ title: 'Your devices' }")

/**
 * The texts, with English for those that are left out.
 *
 * @throws SessionError OPTION_INVALID for a misspelt name, and for what is no text.
 */
export function readTexts(given: unknown): AllTexts {
  return readOptions(given, owner, table)
}
