// What changes in a target's answer on its way to the client: places that the target names in its own words are told
// in the client's. Pure.

import { authorityOf, type Target } from './target.js';

/**
 * Edits the fields of an answer: a Location that leads to the target itself leads to the client's host, and paths of
 * Location and of cookies lose the prefix that requests were given.
 * @param host the client's own
 */
export function answerEdit(
  target: Target,
  host: string | undefined,
): (fields: string[]) => string[] {
  return (fields) => {
    const edited = [...fields];
    for (let index = 0; index + 1 < edited.length; index += 2) {
      const name = edited[index]!.toLowerCase();
      const value = edited[index + 1]!;
      if (name === 'location' || name === 'content-location') {
        edited[index + 1] = clientPlace(value, target, host);
      } else if (name === 'set-cookie') edited[index + 1] = clientCookie(value, target);
    }
    return edited;
  };
}

function clientPlace(place: string, target: Target, host: string | undefined): string {
  const [, origin = '', path = ''] = /^(https?:\/\/[^/?#]*)?(.*)$/is.exec(place)!;
  if (origin === '') return withoutPrefix(path, target.path);
  const authority = origin.replace(/^https?:\/\//i, '').toLowerCase();
  if (authority !== authorityOf(target) && authority !== `${target.host}:${target.port}`)
    return place;
  const shown = withoutPrefix(path, target.path);
  return host === undefined ? shown : `//${host}${shown.startsWith('/') ? shown : `/${shown}`}`;
}

/** `/app/login` under the prefix `/app` is `/login`; what lies elsewhere stays as it is. */
function withoutPrefix(path: string, prefix: string): string {
  if (prefix === '' || !path.startsWith(prefix)) return path;
  const rest = path.slice(prefix.length);
  if (rest === '') return '/';
  return rest.startsWith('/') ? rest : /^[?#]/.test(rest) ? `/${rest}` : path;
}

function clientCookie(cookie: string, { path: prefix }: Target): string {
  return cookie.replace(/(;\s*path=)([^;]*)/i, (_all, label: string, path: string) => {
    return `${label}${withoutPrefix(path.trim(), prefix)}`;
  });
}
