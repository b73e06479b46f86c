/** What columns of exports are called, in English and Russian. No I/O. */
import { normalizeName } from "../source/header_names.ts";

/** What a column may hold. */
export type Role =
  | "line_id"
  | "order"
  | "customer"
  | "product_id"
  | "product_name"
  | "product_category"
  | "quantity"
  | "price"
  | "discount"
  | "total"
  | "date"
  | "region"
  | "currency"
  | "status"
  | "document";

/** Names of each role, in lower case and without _ and -, the most telling first: of two columns the one with the earlier has the role. */
const NAMES: Readonly<Record<Role, readonly RegExp[]>> = {
  line_id: [
    /^(order item|line item|item|line|transaction|sale) ?(id|no|number)$/,
    /^srid$/,
    /^номер (строки|продажи|отправления)$/,
  ],
  order: [
    /^(amazon )?(order|invoice|receipt|basket|check|posting)([ .]?(id|no|nr|number|name|reference|#))?$/,
    /^(номер|№|код) ?(заказа|чека|накладной|документа)$/,
    /^(заказ|чек|накладная)( №)?$/,
    /^номер$/,
    /^name$/,
  ],
  customer: [
    /^(customer|buyer|client|user|household)([ .]?(user )?(id|no|number|key|e ?mail))?$/,
    /^(код |id |e ?mail )?(клиента?|покупателя?|пользователя)$/,
    /e ?mail/,
    /^(клиент|покупатель|контрагент)/,
    /^billing (name|company)$/,
    /^(customer|buyer) name$/,
  ],
  product_id: [
    /^(line ?item |product |item[ .]?|seller )?sku$/,
    /^(product|stock|item|goods) ?(id|code|no|number|key)$/,
    /^(asin|артикул|код товара|номенклатурный номер|штрихкод|barcode|reference)$/,
    /^артикул/,
    /^(product|item|товар)$/,
  ],
  product_name: [
    /^(line ?item|product|item) ?(name|title|description)$/,
    /^(название|наименование)( товара)?$/,
    /^(номенклатура|товар|предмет|description|title|product|item)$/,
  ],
  product_category: [
    /^(product |line ?item )?(category|department|type)$/,
    /^(vendor|brand)$/,
    /^(категория|бренд|группа)( товара)?$/,
  ],
  quantity: [
    /^(line ?item |order(ed)? |item[ .]|product )?(quantity|qty)([ .]?(purchased|shipped|ordered|sold))?( \(.*\))?$/,
    /^(количество|кол ?во)( товара)?(, шт\.?)?$/,
    /^(qty|units|count|шт\.?)$/,
  ],
  price: [
    /^(line ?item |item\.|unit ?|product |sales? )?price( per unit| each)?$/,
    /^(unit ?price|item cost)$/,
    /^цена( (товара|за единицу|за шт\.?|продажи))?(, (руб\.?|₽))?$/,
  ],
  discount: [
    /^(line ?item |item |total )?discount( (amount|value|total))?$/,
    /^(сумма )?скидк[аи]( (по товару|, руб\.?))?$/,
  ],
  total: [
    // Amazon's is for all pieces.
    /^item price$/,
    /^(line ?item |item[ .]|line[ .]|sales? ?|order line )?(total|amount|sum|value|sales|revenue|subtotal)( ?(price|amount|value))?$/,
    /^(net|gross) (sales|total|amount)$/,
    /^вайлдберриз реализовал/,
    /^(сумма|стоимость|выручка)( (заказа|продажи|реализации|со скидкой|товара))?(, ?(руб\.?|₽))?$/,
    /^(к оплате|оплачено)$/,
  ],
  date: [
    /^(sale|order|purchase|invoice|transaction|event)[ .]?(date|time|timestamp|at)$/,
    /^(created|placed|purchased|completed|order\.) ?(at|on|date)$/,
    /^дата( и время)?( (заказа|продажи|создания|оформления|документа))?$/,
    /^(принят в обработку|день|date|timestamp|created|time|when)$/,
    /(date|дата|created at)/,
  ],
  region: [
    /^(region|регион|federal district|федеральный округ)( (доставки|продажи))?$/,
    /^кластер доставки$/,
    /^(ship(ping)?|delivery|billing|customer)[ .]?(province|state|region)( name| \(.*\))?$/,
    /^(state|province|область|штат)( \(.*\))?$/,
    /^(ship(ping)?|delivery|billing)[ .]?(city|country)$/,
    /^(city|town|город|country|страна|store ?(id)?|shop|магазин)( доставки| \(.*\))?$/,
  ],
  currency: [/^((order|payment|sale) )?currency( code)?$/, /^ccy$/, /^(код )?валюты?$/],
  status: [
    /^(financial|payment|order|delivery) (status|state)$/,
    /^(статус|состояние)( (заказа|оплаты|доставки|отправления))?$/,
    /^status$/,
  ],
  document: [
    /^(document|transaction|operation|event) type$/,
    /^(тип|вид) (документа|операции)$/,
    /^обоснование для оплаты$/,
  ],
};

/** Roles, in the order in which columns are given to them. */
export const ROLES: readonly Role[] = Object.keys(NAMES) as Role[];

/** Returns how well a name fits a role: the higher the better, 0 for not at all. */
export function fitOf(role: Role, name: string): number {
  const normal = normalizeName(name.replaceAll(/[_-]+/g, " "));
  const index = NAMES[role].findIndex((pattern) => pattern.test(normal));
  return index < 0 ? 0 : NAMES[role].length - index;
}

/** Counts the roles that names fit, each once: the line with most of them is the header. */
export function countRoles(names: readonly string[]): number {
  return ROLES.filter((role) => names.some((name) => fitOf(role, name) > 0)).length;
}

/** Values of a status column that mean a sale. */
const DONE =
  /^(paid|partially[ _]paid|complete|completed|delivered|shipped|fulfilled|closed|done|success(ful)?|доставлен[ао]?|выполнен[ао]?|оплачен[ао]?|получен[ао]?|завершен[ао]?|завершён|продажа|выкуплен[ао]?)$/;

/** Reports whether a status means a sale. */
export function isDone(status: string): boolean {
  return DONE.test(normalizeName(status));
}

/** Reports whether a document is a return. */
export function isReturnDocument(document: string): boolean {
  return /refund|return|возврат|сторно|chargeback/.test(normalizeName(document));
}
