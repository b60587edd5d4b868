//! A trained encoder and decoder.

use super::search::search;
use super::{Hypothesis, PairSource, Search, Sources};
use crate::data::{DataError, SymbolTable, Symbols};
use crate::task::known;
use crate::{Config, Error};
use elman_core::{Params, Team, Transducer};
use elman_io::Model;
use std::collections::BTreeMap;

/// An encoder and a decoder with what they need to answer.
#[derive(Debug)]
pub struct PairModel {
    net: Transducer<f32>,
    source: PairSource,
    target: SymbolTable,
    /// How it searches unless told otherwise.
    search: Search,
}

/// What was said for one source.
#[derive(Clone, Debug, PartialEq)]
pub struct Spoken {
    /// As text.
    pub text: String,
    /// Symbol by symbol.
    pub symbols: Vec<String>,
    /// The probability that the network gives it.
    pub probability: f64,
    /// For each symbol, and at last for the end, the weights over the source's steps; empty without attention.
    pub attention: Vec<Vec<f32>>,
}

impl PairModel {
    /// From networks, their parameters and what was stored with them.
    pub fn new(model: &Model, config: &Config) -> Result<PairModel, Error> {
        let knowledge: &BTreeMap<String, String> = &model.extra;
        let params: &Params<f32> = &model.params;
        let net = Transducer::new(&model.network, &model.companions, params)?;
        let target: SymbolTable = known(knowledge, "target")?;
        let longest: usize = known(knowledge, "longest")?;
        if target.size() != net.symbols() {
            return Err(Error::Config(
                "the model's symbols and networks do not go together".into(),
            ));
        }
        Ok(PairModel {
            net,
            source: known(knowledge, "source")?,
            target,
            search: Search {
                beam: config.beam,
                length_penalty: config.length_penalty,
                bound: match config.max_output {
                    0 => 2 * longest + 5,
                    bound => bound,
                },
            },
        })
    }
    /// How it searches unless told otherwise.
    pub fn search(&self) -> Search {
        self.search
    }
    /// What its sources are.
    pub fn source(&self) -> &PairSource {
        &self.source
    }
    /// Its target's symbols.
    pub fn target(&self) -> &SymbolTable {
        &self.target
    }
    /// What stands between its target's symbols in a text.
    pub fn separator(&self) -> &'static str {
        match self.target.cut() {
            Symbols::Characters => "",
            Symbols::Words => " ",
        }
    }
    /// The symbols of a source's name; a vector's name is one.
    pub(crate) fn source_symbols(&self, name: &str) -> Vec<String> {
        match &self.source {
            PairSource::Texts(table) => table.cut().of(name).map(str::to_owned).collect(),
            PairSource::Vectors(_) => vec![name.to_owned()],
        }
    }
    /// What it says for each of some texts. An error for a text without symbols.
    pub fn say(&self, texts: &[&str], how: Search, team: &Team) -> Result<Vec<Spoken>, Error> {
        let PairSource::Texts(table) = &self.source else {
            return Err(Error::Config(
                "this model reads vectors: give it a table".into(),
            ));
        };
        let codes: Vec<Vec<u32>> = texts.iter().map(|t| table.encode(t)).collect();
        if let Some(at) = codes.iter().position(Vec::is_empty) {
            let what = format!("text {} has no symbols", at + 1);
            return Err(DataError::File {
                file: "the texts".into(),
                what,
            }
            .into());
        }
        let sources = Sources::Symbols(codes, table.size());
        let all: Vec<usize> = (0..texts.len()).collect();
        self.spoken(&sources, &all, how, team)
    }
    pub(crate) fn spoken(
        &self,
        sources: &Sources,
        rows: &[usize],
        how: Search,
        team: &Team,
    ) -> Result<Vec<Spoken>, Error> {
        let said = search(&self.net, sources, rows, how, team)?;
        Ok(said.into_iter().map(|h| self.read(h)).collect())
    }
    fn read(&self, said: Hypothesis) -> Spoken {
        let symbols = said
            .codes
            .iter()
            .map(|&c| self.target.symbol(c).to_string());
        Spoken {
            text: self.target.decode(&said.codes),
            symbols: symbols.collect(),
            probability: said.log_probability.exp(),
            attention: said.looked,
        }
    }
}
