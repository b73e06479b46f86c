/** Words of shop systems: what a column of an export is for, by its name. No I/O. */

/** What a column may be for. */
export type Role =
  | "line"
  | "order"
  | "customer"
  | "sku"
  | "productName"
  | "category"
  | "quantity"
  | "price"
  | "amount"
  | "discount"
  | "date"
  | "status"
  | "document"
  | "currency"
  | "region";

/** Names by role, the best first, as {@linkcode nameWords} writes them; `?` stands before one that says little. */
const NAMES: Readonly<Record<Role, string>> = {
  line:
    "order item id|order item code|order line id|id order detail|line item id|lineitem id|rrd id|sale id|id продажи|" +
    "номер продажи|srid|transaction line id",
  order:
    "order id|order number|order no|order #|order name|order|amazon order id|id order|номер заказа|№ заказа|id заказа|код заказа|заказ|" +
    "order reference|invoice no|invoice number|invoice|invoice id|номер отправления|posting number|basket id|transaction id|" +
    "receipt number|receipt no|receipt id|номер чека|чек|номер документа|документ|документ продажи|реализация|накладная|номер накладной|регистратор|" +
    "?reference|?номер|?number|?id",
  customer:
    "customer id|client id|user id|buyer id|member id|household id|id customer|customer no|customer number|customer code|id клиента|" +
    "id покупателя|код клиента|код контрагента|код покупателя|email|e mail|mail|customer email|buyer email|email billing|" +
    "billing email|e mail покупателя|email покупателя|почта|электронная почта|клиент|покупатель|контрагент|заказчик|customer|buyer|" +
    "client|user|customer phone|buyer phone number|phone|телефон|телефон покупателя|карта клиента|номер карты|дисконтная карта|loyalty card|customer name|buyer name|billing name|фио|" +
    "фио покупателя|имя покупателя|партнер",
  sku:
    "lineitem sku|sku|item sku|product sku|артикул|артикул товара|артикул продавца|артикул поставщика|stock code|product reference|product code|product id|" +
    "item code|item id|item no|item number|id product|код товара|товар код|код номенклатуры|номенклатура код|id товара|ozon id|ozon sku|asin|upc|barcode|ean|штрихкод|баркод|?код",
  productName:
    "lineitem name|product name|product title|item name|название товара|наименование товара|товар|номенклатура|наименование|название|description|" +
    "product description|title|item|product|?name",
  category:
    "product category|product type|item category|category|category name|категория|категория товара|тип товара|предмет|группа товаров|товарная группа|группа|department|" +
    "vendor|brand|бренд",
  quantity:
    "lineitem quantity|quantity|item quantity|quantity refund|quantity purchased|quantity ordered|order quantity|product quantity|item qty|qty|количество|" +
    "количество товара|количество шт|кол во|кол во шт|кол|units|units sold|count|шт",
  price:
    "lineitem price|unit price|price per unit|price each|item cost|unit price tax incl|цена|цена за единицу|цена за шт|цена товара|цена продажи|price|product price|" +
    "цена розничная|item price|unit price tax excl|?ваша стоимость товара|?your price",
  amount:
    "lineitem total|line total|item total|order line total|order line subtotal|line amount|sale amount|total price tax incl|extended price|net sales|sales value|" +
    "вайлдберриз реализовал товар пр|сумма продажи|сумма строки|сумма со скидкой|стоимость со скидкой|product sales|сумма с ндс|сумма|revenue|выручка|sales|total price|total price tax excl|gross sales|?amount|?total amount|?total|" +
    "?стоимость|?sum|?value|?итого",
  discount:
    "lineitem discount|item discount|item promotion discount|promotional rebates|discount percent|discount pct|line discount|discount|discounts|скидка|сумма скидки|скидка сумма|скидка %|discount %",
  date:
    "created at|order date|order created at|order at|sale date|дата продажи|дата заказа|принят в обработку|дата создания|дата оформления|дата оформления заказа|дата|invoice date|" +
    "purchase date|date add|order purchase timestamp|transaction date|date created|posted date time|posted date|date|datetime|date time|timestamp|created|" +
    "дата и время|paid at|payments date|дата оплаты|дата документа|at|?period|?период|?дата отгрузки",
  status:
    "financial status|payment status|статус оплаты|order status|статус заказа|статус|status|order state|current state|item status|state name",
  document:
    "тип документа|вид документа|document type|transaction type|event type|вид операции|тип операции|операция|document|doc type|type|тип",
  currency:
    "currency|currency code|currency iso code|iso code|валюта|код валюты|код валюты товара|код валюты отправления|order currency|amount currency",
  region:
    "region|регион|sales region|регион доставки|кластер доставки|shipping province|ship state|shipping state|state code shipping|state shipping|shipping state code|state|" +
    "область|регион покупателя|province|shipping city|ship city|city shipping|city|town|город|город доставки|населенный пункт|shipping country|ship country|country|country name|country code shipping|" +
    "страна|страна доставки|state code billing|state billing|billing province|billing state|city billing|billing city|country code billing|billing country|store|магазин|store name|store id|shop|склад|склад продажи|branch|филиал|" +
    "подразделение|location|marketplace name|marketplace|sales channel",
};

/** Words of reports of marketplaces, which do not tell who bought. */
const MARKETPLACE = /отправлени|кластер|posting|srid|settlement|вайлдберриз|wildberries|ozon|amazon order/;

/** Roles whose names must be whole: words of them occur in names of other things. */
const WHOLE: readonly Role[] = ["line", "order", "status", "document", "amount", "productName", "category"];

const INDEX = new Map(
  Object.entries(NAMES).map(([role, names]) => [
    role as Role,
    new Map(
      names.split("|").map((
        name,
        index,
      ) => [name.replace("?", ""), { index, isVague: name.startsWith("?") }]),
    ),
  ]),
);

/** Units behind a name. */
const UNIT = / (?:руб|рублей|rub|usd|eur|gbp|р|шт|pcs)$/;

/** Returns the words of a column's name: lower case, `ё` as `е`, with one blank between words however they were joined. */
export function nameWords(name: string): string {
  return name.replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2").toLowerCase().replaceAll("ё", "е")
    .replace(/[^\p{L}\p{N}#№%]+/gu, " ").trim().replace(UNIT, "");
}

/** How well a name fits a role. */
export interface NameFit {
  /** The lower the better. */
  rank: number;
  /** Whether the name alone says little. */
  isVague: boolean;
}

/** Ranks of names that only end or begin with a known name. */
const PART_RANK = 1000;

/**
 * Returns how well a column's name fits a role; undefined when it does not.
 *
 * @param words of all columns of the export, since Shopify calls its order numbers `Name`
 */
export function fitName(name: string, role: Role, words: readonly string[]): NameFit | undefined {
  const own = nameWords(name);
  const hasLineItems = words.some((each) => each.startsWith("lineitem "));
  if (hasLineItems) {
    if (own === "name") return role === "order" ? { rank: 0, isVague: false } : undefined;
    // What stands for the order, not for its lines.
    if (["amount", "discount", "price"].includes(role) && !own.startsWith("lineitem ")) return undefined;
  }
  const names = INDEX.get(role)!;
  const exact = names.get(own);
  if (exact) return { rank: exact.index, isVague: exact.isVague };
  if (WHOLE.includes(role)) return undefined;
  if (isKnownName(name)) return undefined;
  for (const [known, { index, isVague }] of names) {
    if (isVague || known.length < 4) continue;
    if (own.endsWith(` ${known}`) || own.startsWith(`${known} `)) {
      return { rank: PART_RANK + index, isVague: true };
    }
  }
  return undefined;
}

/** Reports whether a name is one of any role. */
export function isKnownName(name: string): boolean {
  const own = nameWords(name);
  return INDEX.values().some((names) => names.has(own));
}

/** Reports whether columns are those of a marketplace's report. */
export function isMarketplace(words: readonly string[]): boolean {
  return words.some((each) => MARKETPLACE.test(each));
}
