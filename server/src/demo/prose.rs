//! Titles and sentences that read like a surgical textbook. Made up; no advice to anybody.

use super::outline::{BOOKS, Outline, Place};
use super::seeded::Seeded;

const TOPICS: &[&str] = &[
    "Metabolic response to injury",
    "Shock and blood transfusion",
    "Wounds, healing and scars",
    "Basic surgical skills",
    "Surgical infection",
    "Tropical infections",
    "Principles of laparoscopic surgery",
    "Paediatric surgery",
    "Principles of oncology",
    "Surgical audit and research",
    "Perioperative care",
    "Anaesthesia and pain relief",
    "Nutrition and fluid therapy",
    "Major trauma",
    "Head injury",
    "Neck and spine injury",
    "Thoracic trauma",
    "Abdominal trauma",
    "Extremity trauma",
    "Burns",
    "Plastic and reconstructive surgery",
    "Disaster surgery",
    "The skin and subcutaneous tissue",
    "Sports injuries",
    "The spine",
    "The upper limb",
    "The hip and knee",
    "The foot and ankle",
    "Musculoskeletal tumours",
    "Elective neurosurgery",
    "The eye and orbit",
    "Cleft lip and palate",
    "The nose and sinuses",
    "The ear",
    "The pharynx, larynx and neck",
    "Oral cavity cancer",
    "The salivary glands",
    "The thyroid gland",
    "The parathyroid glands",
    "The adrenal glands",
    "The breast",
    "Cardiac surgery",
    "The thorax",
    "Arterial disorders",
    "Venous disorders",
    "Lymphatic disorders",
    "Abdominal wall and hernia",
    "The peritoneum",
    "The oesophagus",
    "The stomach and duodenum",
    "Bariatric surgery",
    "The liver",
    "The spleen",
    "The gallbladder and bile ducts",
    "The pancreas",
    "The small intestine",
    "The large intestine",
    "Intestinal obstruction",
    "The vermiform appendix",
    "The rectum",
    "The anus and anal canal",
    "The urinary tract",
    "The kidneys and ureters",
    "The urinary bladder",
    "The prostate",
    "The urethra and penis",
    "The testis and scrotum",
    "Gynaecology",
    "Transplantation",
    "Endocrine emergencies",
    "Vascular access",
    "Robotic surgery",
    "Surgical ethics",
    "Geriatric surgery",
];
const ASPECTS: &[&str] = &["", ": operative technique", ": complications", ": follow-up"];
const HEADINGS: &[&str] = &[
    "Anatomy",
    "Physiology",
    "Aetiology",
    "Pathology",
    "Epidemiology",
    "Clinical features",
    "Investigation",
    "Staging",
    "Differential diagnosis",
    "Non-operative management",
    "Indications for operation",
    "Preparation",
    "Operative steps",
    "Postoperative care",
    "Complications",
    "Outcome",
    "Special situations",
    "Summary of evidence",
];
const SUBJECTS: &[&str] = &[
    "The lesion",
    "This injury",
    "The condition",
    "A recurrent swelling",
    "The obstruction",
    "Postoperative bleeding",
    "The inflammatory process",
    "An anastomotic leak",
    "Ischaemia of the limb",
    "The collection",
    "A painless mass",
    "Persistent fever",
    "The fistula",
    "Delayed wound healing",
    "Progressive weight loss",
];
const VERBS: &[&str] = &[
    "is most often found in",
    "usually presents with",
    "should raise the suspicion of",
    "rarely resolves without",
    "is best shown by",
    "may be mistaken for",
    "is preceded by",
    "calls for early review of",
    "often follows",
    "has to be told apart from",
];
const OBJECTS: &[&str] = &[
    "patients older than 60 years",
    "pain on movement and local tenderness",
    "an underlying malignancy",
    "adequate drainage",
    "contrast-enhanced computed tomography",
    "a simple haematoma",
    "raised inflammatory markers",
    "the fluid balance",
    "a period of low perfusion",
    "an infected seroma",
    "venous thromboembolism",
    "a fall in haemoglobin of more than 20 g/L",
    "prolonged fasting",
    "previous irradiation",
    "immunosuppression",
];
const ADVICE: &[&str] = &[
    "Antibiotics are given for no longer than five days unless cultures demand it.",
    "The decision to operate is taken with the patient and recorded (p < 0.05 in most series).",
    "Early mobilisation shortens the stay; the drain is removed when it gives less than 30 mL a day.",
    "A second look after 24–48 hours is safer than a doubtful primary closure.",
    "Fluid is replaced at 20–30 mL/kg, guided by urine output of at least 0.5 mL/kg per hour.",
    "Tissue is sent for histology in every case; \"benign\" on inspection proves nothing.",
    "β-blockers are continued through the operation, ACE inhibitors are paused.",
    "Where facilities are limited, transfer before deterioration saves more lives than any technique.",
];

/// The title of a chapter.
pub(super) fn chapter_title(outline: &Outline, chapter: usize) -> String {
    let index = outline.chapters[chapter].number as usize - 1 + outline.chapters[chapter].book * 17;
    let aspect = ASPECTS.get((index / TOPICS.len()) % ASPECTS.len()).copied().unwrap_or_default();
    format!("{}{aspect}", TOPICS.get(index % TOPICS.len()).copied().unwrap_or_default())
}

/// The title of a section or of a part of one.
pub(super) fn heading(seed: u64, place: Place) -> String {
    let (subject, index) = match place {
        Place::Section(i) => ("section", i),
        Place::Subsection(i) => ("subsection", i),
        Place::Subsubsection(i) => ("subsubsection", i),
    };
    Seeded::new(seed, subject, index as u64).pick(HEADINGS).to_owned()
}

/// A paragraph of three to seven sentences. Another revision says it in other words.
pub(super) fn paragraph(seed: u64, paragraph: usize, revision: u64) -> String {
    let mut random = Seeded::new(seed ^ revision.rotate_left(32), "paragraph", paragraph as u64);
    let mut text = String::with_capacity(600);
    for _ in 0..3 + random.below(5) {
        if !text.is_empty() {
            text.push(' ');
        }
        if random.below(4) == 0 {
            text.push_str(random.pick(ADVICE));
        } else {
            let parts = [random.pick(SUBJECTS), random.pick(VERBS), random.pick(OBJECTS)];
            text.push_str(&parts.join(" "));
            if random.below(3) == 0 {
                text.push_str(", and in ");
                text.push_str(&(5 + random.below(60)).to_string());
                text.push_str(" % of cases it ");
                text.push_str(random.pick(VERBS));
                text.push(' ');
                text.push_str(random.pick(OBJECTS));
            }
            text.push('.');
        }
    }
    text
}

/// What stands below a figure or a table.
pub(super) fn caption(seed: u64, kind: &str, index: usize) -> String {
    let mut random = Seeded::new(seed, kind, index as u64);
    format!("{} in {}", random.pick(HEADINGS), random.pick(OBJECTS))
}

/// The title of a textbook.
pub(super) fn book_title(book: usize) -> &'static str {
    BOOKS.get(book).map_or("", |(_, title)| title)
}
