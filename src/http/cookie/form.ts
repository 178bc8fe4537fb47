import type { TokenText } from '../../core/token.js'

/** How a token is written as the value of the cookie, where that is not the token itself. */
export interface CookieForm {
  /** The token that a value stands for; `undefined` for a value that is not ours. */
  tokenOf(value: string): TokenText | undefined
  /** The value of a token, ready for a header. */
  valueOf(token: string): string
}

// A registered symbol: the copies of this package that made the options and that read them may differ. Options are
// checked by name, and this is none that an application could write.
const formKey = Symbol.for('express-sid.cookie-form')

/** The options of a cookie that is written in another form. */
export function withForm<T extends object>(options: T, form: CookieForm): T {
  return Object.assign(options, { [formKey]: form })
}

/** The form that options ask for; `undefined` for our own. */
export function formOf(options: object | undefined): CookieForm | undefined {
  return options && (Reflect.get(options, formKey) as CookieForm | undefined)
}
