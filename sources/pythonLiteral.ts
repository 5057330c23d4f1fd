/** A value that Python's `repr` writes and the parser knows. Tuples become arrays. */
export type PythonLiteral = string | number | boolean | null | PythonLiteral[] | Map<string, PythonLiteral>;

const words = new Map<string, PythonLiteral>([
  ['True', true],
  ['False', false],
  ['None', null],
]);

/**
 * Parses one Python literal of strings, whole numbers, True, False, None, tuples, lists and dictionaries with string
 * keys: what the header of an NPY file is made of. Nothing is evaluated.
 *
 * @throws {Error} that tells the character at which it stopped
 */
export function parsePythonLiteral(text: string): PythonLiteral {
  const tokens = tokenize(text);
  let next = 0;

  const fail = (expected: string): never => {
    const token = tokens[next];
    const got = token ? `'${token.text}' at character ${token.at}` : 'the end';
    throw new Error(`expected ${expected}, got ${got}`);
  };
  const take = (punctuation: string): boolean => {
    if (tokens[next]?.text !== punctuation) return false;
    next++;
    return true;
  };
  const items = (close: string): { values: PythonLiteral[]; comma: boolean } => {
    const values: PythonLiteral[] = [];
    let comma = false;
    while (!take(close)) {
      if (values.length > 0 && !comma) fail(`',' or '${close}'`);
      values.push(value());
      comma = take(',');
    }
    return { values, comma };
  };
  const dictionary = (): PythonLiteral => {
    const entries = new Map<string, PythonLiteral>();
    let comma = true;
    while (!take('}')) {
      if (!comma) fail("',' or '}'");
      const key = value();
      if (typeof key !== 'string') return fail('a string as key before this');
      if (entries.has(key)) return fail(`the key '${key}' only once, before this`);
      if (!take(':')) fail("':'");
      entries.set(key, value());
      comma = take(',');
    }
    return entries;
  };
  const value = (): PythonLiteral => {
    if (take('{')) return dictionary();
    if (take('[')) return items(']').values;
    if (take('(')) {
      const { values, comma } = items(')');
      // Brackets around one value without a comma only group it.
      const [only] = values;
      return values.length === 1 && !comma && only !== undefined ? only : values;
    }
    const token = tokens[next];
    const word = token && words.get(token.text);
    if (!token || (token.value === undefined && word === undefined)) return fail('a value');
    next++;
    return token.value ?? (word as PythonLiteral);
  };

  const result = value();
  if (next < tokens.length) fail('nothing more');
  return result;
}

interface Token {
  readonly text: string;
  readonly at: number;
  /** Of a string or a number. */
  readonly value?: string | number;
}

function tokenize(text: string): Token[] {
  // Python 2 wrote long integers with an L. Escapes in strings do not occur in headers, so they are not understood.
  const pattern = /\s+|'([^'\\\n]*)'|"([^"\\\n]*)"|(-?\d+)L?(?![\w.])|[A-Za-z_]\w*|[()[\]{}:,]/y;
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; at = pattern.lastIndex) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (!match) throw new Error(`expected a Python literal, got '${text[at]}' at character ${at}`);
    if (match[0].trim() === '') continue;
    const string = match[1] ?? match[2];
    const value = string ?? (match[3] === undefined ? undefined : Number(match[3]));
    tokens.push({ text: match[0], at, ...(value === undefined ? {} : { value }) });
  }
  return tokens;
}
