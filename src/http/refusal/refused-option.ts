import { callback } from '../../lib/options/option-kinds.js'
import type { Refused } from '../options.js'

/** The option `refused`, of the manager and of each route helper. */
export const refusedOption = {
  kind: callback<Refused>('(req, res, next, error) => res.status(error.status).render("refused")'),
  defaultText: 'JSON, a small page or text',
  doc: 'sends what is refused with a status below 500',
} as const
