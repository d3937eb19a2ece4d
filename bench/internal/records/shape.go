package records

import "strings"

// A Shape says what the text of records is made of.
type Shape string

// The shapes of text.
const (
	Clean    Shape = "clean"     // ASCII in which nothing has to be escaped
	Dirty    Shape = "dirty"     // every twentieth word has something to escape, or letters outside of ASCII
	NonLatin Shape = "non-latin" // words of other scripts
)

// Shapes returns all shapes.
func Shapes() []Shape { return []Shape{Clean, Dirty, NonLatin} }

// words are what texts are made of.
type words struct {
	clean, dirty, categories []string
}

func wordsOf(shape Shape) *words {
	switch shape {
	case NonLatin:
		return &words{clean: strings.Fields(nonLatin), categories: []string{"предпочтения", "путешествия", "仕事", "健康", "υγεία"}}
	case Dirty:
		return &words{clean: strings.Fields(latin), dirty: dirty(), categories: []string{"preferences", "travel", "work", "health", "food & drink"}}
	}
	return &words{clean: strings.Fields(latin), categories: []string{"preferences", "travel", "work", "health", "food"}}
}

const latin = `The user prefers short answers without a preamble. They live in Lisbon and work from home with two cats.
Flights should leave after nine and have an aisle seat. Asked for a summary of the quarterly report before the Monday
meeting. Is learning the cello and practises on most evenings. Allergic to peanuts and likes Thai food that is not too hot.
Their manager reads mostly science fiction and history.`

const nonLatin = `Пользователь предпочитает короткие ответы без вступления. Живёт в Лиссабоне и работает из дома. 会議の前に報告書の要約を求めた。
毎晩チェロを練習している。 用户喜欢靠过道的座位。 对花生过敏，喜欢不太辣的泰国菜。 Ο χρήστης προτιμά σύντομες απαντήσεις. Διαβάζει κυρίως ιστορία.
사용자는 짧은 대답을 선호한다. 저녁마다 첼로를 연습한다. يفضل المستخدم الإجابات القصيرة ويعيش في لشبونة. उपयोगकर्ता छोटे उत्तर पसंद करता है।`

// dirty returns words with what formats have to escape, and what is outside of ASCII in Latin text.
func dirty() []string {
	return []string{
		`"never`, `again"`, "said,", "café", "Zoë", "report:\n1. run", "done.\n\nThen", `C:\temp`, "a\tb", "naïve", "→", "😀", "it’s", "R&D", "<b>", "*not*", "[link](url)",
	}
}
