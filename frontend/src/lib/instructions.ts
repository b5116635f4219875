/**
 * Text in data that speaks to a model instead of telling a person something. A hint for the eye and
 * no protection: what keeps such text harmless is that nothing it asks for runs or leaves unasked.
 * Pure and bounded: long text is looked at in its beginning and its end.
 */

const LOOKED_AT = 100_000;
const QUOTED = 80;

/** The start of a word in scripts that have such starts. */
const W = "(?<![\\p{L}\\p{N}])";
const GAP = "[\\s\\p{P}]{1,4}";
const words = (...parts: string[]) => new RegExp(W + parts.join(GAP), "iu");

const EARLIER = "(?:previous|prior|above|earlier|preceding|foregoing|existing|original|other)";
const ORDERS =
  "(?:instructions?|prompts?|directions?|commands?|guidelines?|rules?|messages?|context)";
const FEW = "(?:(?:all|any|every|each|of|the|your|my|these|those|and)[\\s\\p{P}]{1,4}){0,5}";

/** Each is something that ordinary data hardly says; nothing here goes by one word alone. */
const PATTERNS: readonly RegExp[] = [
  // Sentences in English.
  words(
    "(?:ignore|disregard|forget|override|bypass|skip)",
    `${FEW}${EARLIER}`,
    `(?:\\p{L}+${GAP}){0,2}${ORDERS}`,
  ),
  words(
    "(?:ignore|disregard|forget|override)",
    `(?:all|everything)${GAP}(?:you|that|i|we|above|before)`,
  ),
  words(
    "(?:ignore|disregard|forget)",
    `(?:all${GAP})?(?:of${GAP})?(?:your|the${GAP}system)`,
    `(?:\\p{L}+${GAP}){0,2}${ORDERS}`,
  ),
  words(
    "(?:do|must|should)",
    "not",
    "(?:tell|inform|mention|reveal|show|alert|notify|warn)",
    "(?:this|it|anything)?[\\s\\p{P}]{0,4}(?:to[\\s]{1,3})?(?:the|your)",
    "(?:user|human|person|operator|owner)",
  ),
  words(
    "don['’]t",
    "(?:tell|inform|mention|reveal|alert|notify|warn)",
    "(?:this[\\s]{1,3}to[\\s]{1,3})?(?:the|your)",
    "(?:user|human|person|operator|owner)",
  ),
  words("without", "(?:telling|informing|asking|notifying|alerting)", "the", "(?:user|human)"),
  words("you", "are", "now", "(?:an?|the|in|dan|free|no)(?![\\p{L}])"),
  words(
    "(?:new|updated|revised|real|actual|secret|hidden)",
    "(?:system[\\s]{1,3})?instructions?",
    "(?:for|to)",
    "(?:the[\\s]{1,3})?(?:ai|model|assistant|llm|agent|chatbot|you)",
  ),
  words(
    "(?:reveal|print|show|repeat|output|leak|disclose|send|give)",
    `(?:me${GAP})?(?:your|the)`,
    "(?:system|hidden|initial|secret)",
    "(?:prompt|instructions?|message)",
  ),
  words(
    "(?:attention|note|message|notice|important|instructions?)",
    "(?:to|for)",
    `(?:the${GAP}|any${GAP}|all${GAP})?(?:ai|llms?|language[\\s]models?|assistants?|chatbots?|ai[\\s](?:agents?|models?|assistants?))(?![\\p{L}])`,
  ),
  words("if", "you", "are", "an?", "(?:ai|llm|language[\\s]model|assistant|chatbot)"),
  words(
    "as",
    "(?:an?|the)",
    "(?:ai|llm|language[\\s]model|assistant)",
    "you",
    "(?:must|should|will|shall|have)",
  ),
  words(
    "(?:act|behave|respond|pretend)",
    "as",
    "(?:if[\\s]{1,3}you|dan|an?[\\s]{1,3}unrestricted|root|system|developer)",
  ),
  words("system", "prompt", "(?:override|injection|begins?|ends?|starts?|update)"),
  /^\s*(?:system|developer|assistant)\s*(?:prompt|message)?\s*[:：]\s*(?:you\b|ignore\b|do not\b|from now\b|always\b|never\b)/imu,
  words("from", "now", "on", "(?:you|respond|answer|ignore|act)"),
  // Marks of the formats in which models are spoken to.
  /<\/?(?:system|assistant|developer|instructions?|system[-_]prompt|tool_(?:call|response|result)|function_calls?|antml:[a-z_]+)(?:\s[^<>]{0,80})?>/iu,
  /<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|begin_of_text|start_header_id|end_header_id)\|>/iu,
  /\[\/?(?:INST|SYSTEM|SYSTEM PROMPT)\]|<<\/?SYS>>/u,
  /^#{2,4}\s*(?:system|new|hidden)\s+(?:prompt|instructions?)\b/imu,
  // Sentences in Chinese.
  /(?:忽略|无视|忘记|忘掉|不要理会|不要遵守|跳过|忽視|無視|忘記)[^。!?\n]{0,12}(?:之前|先前|以上|上述|上面|前面|所有|全部|此前|原有|系统|系統)[^。!?\n]{0,8}(?:指令|指示|提示|命令|要求|规则|規則|内容|內容|对话|對話|说明|提示词)/u,
  /(?:不要|不得|切勿|请勿|別|别)(?:告诉|告知|告訴|通知|提醒|透露给|透露給|让|讓)(?:用户|用戶|使用者|人类|人類)/u,
  /(?:你现在是|你現在是|从现在起你|从现在开始,?你|從現在起你|假装你是|扮演)[^。\n]{0,16}(?:助手|模型|管理员|管理員|系统|系統|机器人|機器人|DAN|角色|黑客)/u,
  /(?:输出|显示|打印|泄露|告诉我|透露|輸出|顯示|洩露)[^。\n]{0,6}(?:你的|系统|系統|初始)[^。\n]{0,4}(?:提示词|提示詞|系统提示|系統提示|指令)/u,
  /(?:系统|系統)(?:提示词?|提示詞?|指令|消息)\s*[::]/u,
  /(?:致|给|給|写给|寫給)(?:AI|人工智能|大?语言模型|大?語言模型|大模型|智能助手)(?:的)?(?:指令|指示|说明|注意|消息|[::])/iu,
];

/** Tags that no font shows: a whole sentence can hide in them. */
const TAGS = /[\u{E0020}-\u{E007E}]{4,}/u;
/** The flags of regions end such a run with a mark; they are pictures. */
const FLAG = /\u{1F3F4}[\u{E0061}-\u{E007A}\u{E0030}-\u{E0039}]{1,7}\u{E007F}/gu;
/** One may join an emoji or split a word; a run of them says something. */
const UNSEEN =
  /[\u200B\u200C\u2060-\u2064\uFEFF\u180E\u{1D173}-\u{1D17A}]{6,}|[\u{E0100}-\u{E01EF}]{3,}/u;

/** What was found in `text`, to be quoted; null where nothing speaks to a model. */
export function speaksToModel(text: string): string | null {
  const seen =
    text.length <= LOOKED_AT * 2 ? text : `${text.slice(0, LOOKED_AT)}\n${text.slice(-LOOKED_AT)}`;
  const tags = TAGS.exec(seen.replace(FLAG, ""));
  if (tags !== null) return quote(untagged(tags[0]));
  if (UNSEEN.test(seen)) return "U+200B …";
  // A word may be split by what is not seen.
  const plain = seen.replace(/[\u00AD\u200B-\u200D\u2060\uFEFF]/g, "").normalize("NFKC");
  for (const pattern of PATTERNS) {
    const found = pattern.exec(plain);
    if (found !== null) return quote(found[0]);
  }
  return null;
}

/** The first of several texts that speaks. */
export function firstThatSpeaks(texts: Iterable<string>): string | null {
  for (const text of texts) {
    const found = speaksToModel(text);
    if (found !== null) return found;
  }
  return null;
}

function untagged(tags: string): string {
  return Array.from(tags, (tag) => String.fromCodePoint((tag.codePointAt(0) ?? 0) - 0xe0000)).join(
    "",
  );
}

function quote(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return `“${line.length > QUOTED ? `${line.slice(0, QUOTED)}…` : line}”`;
}
